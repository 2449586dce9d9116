#include "link/slave.h"
