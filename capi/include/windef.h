/* Windows programs find the basic types here, too. */
#ifndef LESSEE_WINDEF_H
#define LESSEE_WINDEF_H
#include "minwindef.h"
#include "winnt.h"
#endif
