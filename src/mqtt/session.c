#include "mqtt/session.h"
