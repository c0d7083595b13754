/* What a program written for Windows needs to use the IP Helper functions for
   DHCP on Linux: types, error codes, messages, memory. No more of Windows is
   here. */
#ifndef LESSEE_WINDOWS_H
#define LESSEE_WINDOWS_H

#include "minwindef.h"
#include "winnt.h"
#include "winerror.h"
#include "winbase.h"

#endif
