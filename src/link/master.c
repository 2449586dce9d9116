#include "link/master.h"
