#include "clock/sntp.h"
