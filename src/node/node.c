/* The node. */
#include "node/node.h"
