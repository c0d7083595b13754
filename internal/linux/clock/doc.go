// Package clock is the kernel's clock that counts suspended time, timers by it,
// and the identity of the boot that it counts from.
package clock
