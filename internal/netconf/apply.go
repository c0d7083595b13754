package netconf

import "net/netip"

// A Kernel is where the configuration of one adapter is read and changed.
type Kernel interface {
	// Read returns what the adapter has. Among the routes of others are at least
	// those that have one of the places. The State is valid until the next call.
	Read(places []Object) (State, error)
	// Do carries out a batch and returns the operations that failed, in their
	// order. A batch is no transaction: what follows a failure is carried out.
	Do(ops []Op) []Failure
	// Exists reports whether a failure says that the place is taken (EEXIST).
	Exists(err error) bool
}

// Left is what [Apply] did not try.
type Left struct {
	// Blocked are the wanted routes whose place another's route has.
	Blocked []Blocked
	// Withheld are the addresses that were not removed, because addresses of
	// others would go with them.
	Withheld []Op
}

// Apply makes the kernel hold want, with owned what is ours by the record; [Diff]
// decides what changes. It is idempotent. There are two batches at most: one
// that adds and replaces, then, of what the answers to it allow, one that removes.
func Apply(k Kernel, owned []netip.Prefix, want Desired) (Outcome, Left) {
	have, err := k.Read(nil)
	if err != nil {
		return Outcome{Unread: err}, Left{}
	}
	plan := Diff(have, owned, want)
	failed := k.Do(plan.Add)
	if places := taken(k, failed); len(places) > 0 {
		// Another program has the place: who, and does it the same?
		if have, err := k.Read(places); err == nil {
			remove := plan.Remove
			plan = Diff(have, owned, want)
			plan.Remove = remove
			failed = k.Do(plan.Add) // what else failed is tried once more
		}
	}
	remove, withheld := plan.Cleanup(failed)
	failed = append(failed, k.Do(remove)...)
	return plan.Outcome(failed), Left{plan.Blocked, withheld}
}

// taken returns the places of what failed because something is there already.
func taken(k Kernel, failed []Failure) (places []Object) {
	for _, f := range failed {
		if k.Exists(f.Err) {
			places = append(places, ObjectOf(f.Op))
		}
	}
	return places
}

// Inspect returns the wanted addresses and routes that the adapter does not
// have; see [Missing]. It changes nothing.
func Inspect(k Kernel, want Desired) ([]Object, error) {
	have, err := k.Read(nil)
	if err != nil {
		return nil, err
	}
	missing := Missing(have, want)
	if len(missing) == 0 {
		return nil, nil
	}
	// Another program's route counts as well. It is looked for only where one
	// of ours is not there.
	if have, err = k.Read(missing); err != nil {
		return nil, err
	}
	return Missing(have, want), nil
}
