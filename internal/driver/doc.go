// Package driver runs tenancies: it gives each adapter's tenancy the time, the
// datagrams and the kernel's reports, and carries out what it asks for.
//
// One goroutine owns all tenancies. What takes time (the disk, the kernel)
// runs beside it, for each adapter one thing after the other, in a goroutine
// that lives only as long as there is something to do. A lease at rest is a
// timer entry and its data: no goroutine, no descriptor.
package driver
