package netconf

import (
	"errors"
	"fmt"
	"net/netip"
)

// An Outcome is what came of applying a [Desired]. What cannot be done does not
// keep the rest from being done.
type Outcome struct {
	// Unread is why the adapter's configuration could not be read; then nothing
	// was changed. Nil otherwise.
	Unread error
	// Failed are the operations that the kernel refused, in their order, without
	// those that failed because an address was refused before them. A route
	// whose place is taken is among them, with a [*BlockedError].
	Failed []Failure
	// Foreign are the wanted addresses that the adapter has and that are not
	// ours: they are used as they are.
	Foreign []netip.Prefix
	// Waiting are the routes that the kernel takes when the link is up.
	Waiting []Route
}

// A Failure is an operation and why the kernel refused it; Err wraps the errno.
type Failure struct {
	Op  Op
	Err error
}

// AddressesSet reports whether the wanted addresses are there and those that
// are not wanted are gone. Routes and the MTU may still be missing.
func (o Outcome) AddressesSet() bool {
	if o.Unread != nil {
		return false
	}
	for _, f := range o.Failed {
		switch f.Op.(type) {
		case AddAddress, ReplaceAddress, RemoveAddress:
			return false
		}
	}
	return true
}

// Refused returns the wanted objects that the kernel did not take.
func (o Outcome) Refused() (list []Object) {
	for _, f := range o.Failed {
		switch f.Op.(type) {
		case AddAddress, AddRoute, AppendRoute:
			list = append(list, ObjectOf(f.Op))
		}
	}
	return list
}

// Err returns all that is not as wanted as one error, nil if all is. Routes that
// wait for the link make it wrap [ErrLinkDown].
func (o Outcome) Err() error {
	if o.Unread == nil && len(o.Failed) == 0 && len(o.Waiting) == 0 {
		return nil
	}
	errs := []error{o.Unread}
	for _, f := range o.Failed {
		errs = append(errs, f.Err)
	}
	if len(o.Waiting) > 0 {
		errs = append(errs, fmt.Errorf("routes have to wait: %w", ErrLinkDown))
	}
	return errors.Join(errs...)
}

// A BlockedError says that another program's route has the place of a wanted one.
type BlockedError struct {
	Blocked
	// Adapter is the name of the interface that the other route leaves by; ""
	// where it is not known.
	Adapter string
	// Err is the errno.
	Err error
}

func (e *BlockedError) Error() string {
	where := "the kernel"
	if e.Adapter != "" {
		where = e.Adapter
	}
	return fmt.Sprintf("%s has one of the same metric, protocol %s: %v", where, ProtocolName(e.By.Protocol), e.Err)
}

// Unwrap returns the errno.
func (e *BlockedError) Unwrap() error { return e.Err }

// ProtocolName returns the name that `ip route` gives a protocol, its number
// where it has none.
func ProtocolName(p uint8) string {
	switch p {
	case 2:
		return "kernel"
	case 3:
		return "boot"
	case 4:
		return "static"
	case 9:
		return "ra"
	case ProtocolDHCP:
		return "dhcp"
	}
	return fmt.Sprint(p)
}
