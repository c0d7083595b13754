//go:build linux

package leases

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/leases/leasestest"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"golang.org/x/sys/unix"
)

// marked is a record that is told apart by its link-local address.
func marked(mark byte, up bool) v4.Record {
	r := full(boottime.Instant(time.Minute))
	r.LinkLocal, r.Up = netip.AddrFrom4([4]byte{169, 254, 1, mark}), up
	return r
}

// What a killed daemon removed, or no longer manages, does not come under
// management again, though the second copy has not heard of it.
func TestUpIsOfTheLatestCopy(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMachine()
	s := open(t, dir, m)
	for _, adapter := range []string{"eth0", "eth1", "eth2"} {
		if err := s.Save(adapter, marked(1, true)); err != nil {
			t.Fatal(err)
		}
		persist(t, s, adapter)
	}
	m.pass(time.Second)
	if err := s.Remove("eth0"); err != nil {
		t.Fatal(err)
	}
	if err := s.Save("eth1", marked(2, false)); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if up := open(t, dir, m).Up(); !slices.Equal(up, []string{"eth2"}) {
		t.Errorf("up: %v", up)
	}
}

// A second copy that is newer, for the first one could not be written, is not
// replaced by the older one.
func TestPersistKeepsTheNewerCopy(t *testing.T) {
	t.Parallel()
	left := -1
	run, state, m := leasestest.New(&left), leasestest.New(&left), newMachine()
	s := OpenOn(run, state, m.clock())
	if err := s.Save("eth0", marked(1, true)); err != nil {
		t.Fatal(err)
	}
	m.pass(time.Second)
	run.Full = unix.ENOSPC
	if err := s.Save("eth0", marked(2, true)); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("Save: %v", err)
	}
	persist(t, s, "eth0")
	run.Full = nil
	for range 2 {
		s = OpenOn(run, state, m.clock())
		persist(t, s, "eth0")
		if len(s.Pending()) != 0 {
			t.Errorf("pending: %v", s.Pending())
		}
		if r := load(t, s, "eth0"); r.LinkLocal != marked(2, true).LinkLocal {
			t.Errorf("the older record counts: %v", r.LinkLocal)
		}
	}
}

// unreadable is a disk whose reads fail while err is not nil.
type unreadable struct {
	*leasestest.Memory
	err error
}

func (d *unreadable) Read(name string) ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	return d.Memory.Read(name)
}

// A record that the system does not let us read now is reported and stays.
func TestUnreadableForNow(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{unix.EIO, unix.EACCES, unix.EMFILE} {
		left := -1
		run, m := &unreadable{Memory: leasestest.New(&left)}, newMachine()
		s := OpenOn(run, nil, m.clock())
		if err := s.Save("eth0", marked(1, true)); err != nil {
			t.Fatal(err)
		}
		run.err = &os.PathError{Op: "read", Path: "eth0.json", Err: cause}
		if _, ok, err := s.Load("eth0"); ok || !errors.Is(err, cause) {
			t.Errorf("Load: %v, %v, want %v", ok, err, cause)
		}
		run.err = nil
		if r := load(t, s, "eth0"); r.LinkLocal != marked(1, true).LinkLocal {
			t.Errorf("after %v: %v", cause, r)
		}
	}
}
