#include "mqtt/packet.h"
