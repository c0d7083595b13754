package tenancy

// troubles are what went wrong last and has not gone well since.
type troubles struct {
	save error
	// persist is why the record would not survive a power failure.
	persist error
	apply   error      // what the kernel did not take
	mtu     int        // what another program changed the MTU to; 0: it did not
	send    SendFailed // of the last message
	// unsent is why the last RELEASE did not leave.
	unsent error
}

// troubles returns what is wrong.
func (t *Tenancy) troubles() troubles {
	if t.wrong == nil {
		return troubles{}
	}
	return *t.wrong
}

// went notes how something went. Where all is well there is nothing to keep.
func (t *Tenancy) went(note func(*troubles)) {
	w := t.troubles()
	note(&w)
	if w == (troubles{}) {
		t.wrong = nil
		return
	}
	t.wrong = &w
}
