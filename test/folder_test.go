package test

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/test/lab"
)

// A folderFault is what can be wrong with a folder for records.
type folderFault struct {
	name string
	// install makes the folder, without the fault.
	install func(t *testing.T, s *lab.Space) (dir string, begin, end func())
	// said is what the daemon says of it.
	said string
}

var folderFaults = []folderFault{
	{"full", func(t *testing.T, s *lab.Space) (string, func(), func()) {
		d := s.SmallDisk(t, "disk")
		return d.Dir, d.Fill, d.Drain
	}, "no space left"},
	{"read-only", func(t *testing.T, s *lab.Space) (string, func(), func()) {
		d := s.SmallDisk(t, "disk")
		return d.Dir, func() { d.ReadOnly(true) }, func() { d.ReadOnly(false) }
	}, "read-only file system"},
	{"not a folder", func(t *testing.T, s *lab.Space) (string, func(), func()) {
		d := s.SmallDisk(t, "disk")
		const name = "folder"
		return filepath.Join(d.Dir, name), func() {
			d.Remove(name)
			d.Write(name, []byte("in its place\n"))
		}, func() { d.Remove(name) }
	}, "not a directory"},
	{"broken", func(t *testing.T, s *lab.Space) (string, func(), func()) {
		d := s.FaultyDisk(t, "disk")
		return d.Dir, func() { d.Fail(unix.EIO, lab.AllDiskOps()...) }, d.Mend
	}, "input/output error"},
}

// folderOptions has a daemon keep one of the copies in dir.
func folderOptions(folder, dir string) lab.Options {
	o := lab.Options{Args: []string{"c0"}}
	switch folder {
	case "run":
		o.Run = dir
	case "state":
		o.State = dir
	}
	return o
}

// TestFolderFaults checks that a folder that cannot be written, from the start
// or from some time on, keeps the daemon from nothing: a lease is obtained,
// renewed, given back and found by the next process; what is wrong is said, and
// is over when the fault is.
func TestFolderFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range folderFaults {
		for _, folder := range []string{"run", "state"} {
			for _, since := range []string{"the start", "later"} {
				t.Run(fault.name+" "+folder+" since "+since, func(t *testing.T) {
					t.Parallel()
					testFolderFault(t, fault, folder, since == "the start")
				})
			}
		}
	}
}

func testFolderFault(t *testing.T, fault folderFault, folder string, fromStart bool) {
	t.Helper()
	h := newHome(t, dnsmasq(), lab.Config{})
	dir, begin, end := fault.install(t, h.client)
	o := folderOptions(folder, dir)
	if fromStart {
		begin()
	}
	d := h.client.ReadyDaemon(t, o)
	address := d.AwaitBound(t, "c0").IPv4.Address.Addr()
	if !fromStart {
		awaitPersisted(t, d)
		begin()
	} else if said := d.Tail(99); !contains(said, dir) || !contains(said, fault.said) {
		t.Errorf("at the start it said:\n%s", said)
	}

	d.Must(t, "renew", "c0")
	awaitFault(t, d, dir, fault.said)
	h.keeps(t, 0, address)

	d.Must(t, "release", "c0")
	h.dhcp.AwaitFreed(t, address)
	if have := h.client.Addresses("c0"); len(have) > 0 {
		t.Errorf("after release: %v", have)
	}
	awaitOther(t, d, folder, `"release":"released"`, true)
	d.Must(t, "renew", "c0")
	address = d.AwaitBound(t, "c0").IPv4.Address.Addr()
	h.dhcp.AwaitHeld(t, address)
	awaitOther(t, d, folder, `"release":`, false)
	awaitOther(t, d, folder, `"address":"`+address.String()+`/`, true)

	// The next process finds the lease by the folder that is well.
	d.Crash()
	mark := h.cap.Mark()
	d = h.client.ReadyDaemon(t, o)
	if now := d.AwaitBound(t, "c0").IPv4.Address.Addr(); now != address {
		t.Errorf("the address was %v and is %v after a restart", address, now)
	}
	if sent := h.cap.SentByClient(mark); len(sent) > 0 {
		t.Errorf("sent after a restart: %v", sent)
	}

	d.Must(t, "renew", "c0")
	awaitFault(t, d, dir, fault.said)
	end()
	// Nothing has to be done for it.
	if !lab.Eventually(patience, func() bool { return show(t, d).IPv4.Problem == "" }) {
		t.Errorf("without the fault: %+v", d.Show(t, "c0").IPv4)
	}
	d.Must(t, "renew", "c0")
	awaitPersisted(t, d)
}

// awaitFault waits until the daemon says what is wrong with the folder.
func awaitFault(t *testing.T, d *lab.Daemon, dir, said string) {
	t.Helper()
	if !lab.Eventually(patience, func() bool { return contains(show(t, d).IPv4.Problem, said) }) {
		t.Errorf("the problem is not %q: %+v", said, d.Show(t, "c0").IPv4)
	}
	if now := d.Show(t, "c0").IPv4; now.State != "bound" || !contains(now.Problem, dir) {
		t.Errorf("state %s, problem %q", now.State, now.Problem)
	}
	if list := d.Must(t, "list"); !contains(list.Stdout, "bound") {
		t.Errorf("list:\n%s", list.Stdout)
	}
	if why := d.Must(t, "why", "c0"); !contains(why.Stdout, dir) || !contains(why.Stdout, said) {
		t.Errorf("why:\n%s", why.Stdout)
	}
}

// awaitOther waits until the record of c0 in the folder that has no fault has
// that text, or does not have it any more.
func awaitOther(t *testing.T, d *lab.Daemon, folder, text string, has bool) {
	t.Helper()
	file, state := copies(d)
	if folder == "run" {
		file = state
	}
	var b []byte
	var err error
	if !lab.Eventually(patience, func() bool {
		b, err = d.Space.ReadFile(file)
		return err == nil && contains(string(b), text) == has
	}) {
		t.Fatalf("%s in the record: not %v: %s %v", text, has, b, err)
	}
}

// TestFolderRemoved checks that a folder that somebody removes while the daemon
// runs is made anew.
func TestFolderRemoved(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"run", "state"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, dnsmasq(), lab.Config{})
			disk := h.client.SmallDisk(t, "disk")
			d := h.client.ReadyDaemon(t, folderOptions(folder, filepath.Join(disk.Dir, "folder")))
			d.AwaitBound(t, "c0")
			awaitPersisted(t, d)
			disk.Remove("folder")
			d.Must(t, "renew", "c0")
			awaitPersisted(t, d)
			if !lab.Eventually(patience, func() bool { return show(t, d).IPv4.Problem == "" }) {
				t.Errorf("the problem is %q", show(t, d).IPv4.Problem)
			}
		})
	}
}
