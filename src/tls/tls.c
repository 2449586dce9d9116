#include "tls/tls.h"
