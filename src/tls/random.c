#include "tls/random.h"
