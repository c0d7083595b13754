/* Windows programs find the types of a certain size here. */
#ifndef LESSEE_BASETSD_H
#define LESSEE_BASETSD_H
#include "minwindef.h"
#endif
