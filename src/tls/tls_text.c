#include "tls/tls_text.h"
