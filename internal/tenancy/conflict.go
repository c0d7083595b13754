package tenancy

// A ConflictMode says how conflicts of a leased address with another host are
// found (RFC 5227).
type ConflictMode uint8

// The modes.
const (
	// ConflictOptimistic: the address is used at once; the link is asked
	// meanwhile, and the address declined if another host has it.
	ConflictOptimistic ConflictMode = iota
	// ConflictProbe: the address is used after the link was asked, some seconds.
	ConflictProbe
	// ConflictOff: nobody is asked and nothing defended.
	ConflictOff
)
