// Package environ is where the public packages read the environment, so that
// the C library can show them that of its program: Go keeps a copy from the
// start of the process, which the program's setenv does not change.
package environ

import "os"

// Getenv returns the value of an environment variable, "" if it is not set. It
// is replaced, if at all, while packages are initialized.
var Getenv = os.Getenv
