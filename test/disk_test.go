package test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/test/lab"
)

// smallDisk mounts a tmpfs of 64 KiB in the space and returns its directory.
func smallDisk(t *testing.T, s *lab.Space) string {
	t.Helper()
	dir := s.Path("disk")
	err := s.Do(func() error {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		return unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,mode=755")
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// fill writes to the file until the disk is full.
func fill(t *testing.T, s *lab.Space, file string) {
	t.Helper()
	err := s.Do(func() error {
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		defer f.Close()
		for {
			if _, err = f.Write(make([]byte, 4096)); err != nil {
				return nil // full
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDiskFull checks that a lease that cannot be saved in one of the folders is
// still used and renewed, that this is said, that a restart finds it by the other
// folder, and that all is well when there is room again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"state", "run"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, dnsmasq(), lab.Config{})
			disk := smallDisk(t, h.client)
			o := lab.Options{Args: []string{"c0"}, State: disk}
			if folder == "run" {
				o = lab.Options{Args: []string{"c0"}, Run: disk}
			}
			d := h.client.ReadyDaemon(t, o)
			a := d.AwaitBound(t, "c0")
			address := a.IPv4.Address.Addr()
			ballast := filepath.Join(disk, "ballast")
			fill(t, h.client, ballast)

			said := func(d *lab.Daemon) {
				t.Helper()
				if !lab.Eventually(patience, func() bool { return contains(d.Show(t, "c0").IPv4.Problem, "no space left") }) {
					t.Errorf("with a full disk: %+v", d.Show(t, "c0").IPv4)
				}
				if now := d.Show(t, "c0"); now.IPv4.State != "bound" || !contains(now.IPv4.Problem, disk) {
					t.Errorf("with a full disk: %+v", now.IPv4)
				}
			}
			d.Must(t, "renew", "c0")
			said(d)
			h.keeps(t, 0, address)
			d.Crash()
			mark := h.cap.Mark()
			d = h.client.ReadyDaemon(t, o)
			d.AwaitBound(t, "c0")
			if sent := h.cap.SentByClient(mark); len(sent) != 0 {
				t.Errorf("sent: %v", sent)
			}
			d.Must(t, "renew", "c0")
			said(d)
			if err := h.client.Do(func() error { return os.Remove(ballast) }); err != nil {
				t.Fatal(err)
			}
			// Nobody has to do anything for it.
			if !lab.Eventually(patience, func() bool { return d.Show(t, "c0").IPv4.Problem == "" }) {
				t.Errorf("with room again: %+v", d.Show(t, "c0").IPv4)
			}
			h.keeps(t, 0, address)
		})
	}
}

// TestDiskReadOnly checks that the daemon does its work where a folder cannot be
// written from the start, and says so with words that help.
func TestDiskReadOnly(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"state", "run"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, dnsmasq(), lab.Config{})
			disk := smallDisk(t, h.client)
			err := h.client.Do(func() error {
				return unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, "size=64k,mode=755")
			})
			if err != nil {
				t.Fatal(err)
			}
			o := lab.Options{Args: []string{"c0"}, State: disk}
			if folder == "run" {
				o = lab.Options{Args: []string{"c0"}, Run: disk}
			}
			d := h.client.ReadyDaemon(t, o)
			a := d.AwaitBound(t, "c0")
			if said := d.Tail(9); !contains(said, disk) || !contains(said, "read-only") || !contains(said, "--"+folder) {
				t.Errorf("it said:\n%s", said)
			}
			if !lab.Eventually(patience, func() bool { return contains(d.Show(t, "c0").IPv4.Problem, "read-only") }) {
				t.Errorf("with a read-only disk: %+v", d.Show(t, "c0").IPv4)
			}
			d.Must(t, "renew", "c0")
			d.Must(t, "release", "c0")
			h.dhcp.AwaitFreed(t, a.IPv4.Address.Addr())
		})
	}
}

// TestCorruptLeaseFile checks that a lease file that is not one is set aside
// and reported, and a new lease obtained.
func TestCorruptLeaseFile(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"garbage": "\x00\x01\xff{]", "empty": "", "truncated": `{"version":2,"crc32c":"`, "directory": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, dnsmasq(), lab.Config{})
			d, a := h.bound(t)
			_ = d.Stop(t)
			files := []string{leaseFile(t, filepath.Join(d.Run, "leases")), leaseFile(t, d.State)}
			for _, file := range files {
				var err error
				if name == "directory" {
					err = os.Remove(file)
					if err == nil {
						err = os.Mkdir(file, 0o755)
					}
				} else {
					err = os.WriteFile(file, []byte(content), 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			mark := h.cap.Mark()
			d, now := h.bound(t)
			if now.IPv4.Address != a.IPv4.Address { // the server knows us
				t.Errorf("was %v, is %v", a.IPv4.Address, now.IPv4.Address)
			}
			h.cap.AwaitServer(mark, patience, ack)
			said := d.Tail(50)
			for _, file := range files {
				if !contains(said, file) {
					t.Errorf("the log does not name %s:\n%s", file, said)
				}
				aside, err := filepath.Glob(file + "?*")
				if err != nil || len(aside) != 1 {
					t.Fatalf("set aside: %v %v", aside, err)
				}
				if name != "directory" {
					if b, err := os.ReadFile(aside[0]); err != nil || string(b) != content {
						t.Errorf("set aside: %q %v", b, err)
					}
				}
			}
		})
	}
}

// awaitPersisted waits until both copies of the record of c0 are the same.
func awaitPersisted(t *testing.T, d *lab.Daemon) {
	t.Helper()
	if !lab.Eventually(patience, func() bool {
		first, err1 := os.ReadFile(filepath.Join(d.Run, "leases", "c0.json"))
		second, err2 := os.ReadFile(filepath.Join(d.State, "c0.json"))
		return err1 == nil && err2 == nil && bytes.Equal(first, second)
	}) {
		t.Fatal("the record is not in the state folder")
	}
}

// leaseFile returns the file of c0 in a folder for leases.
func leaseFile(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*c0*.json*"))
	if err != nil || len(files) != 1 {
		all, _ := os.ReadDir(folder)
		t.Fatalf("lease files %v %v, all: %v", files, err, all)
	}
	if !strings.HasSuffix(files[0], "c0.json") {
		t.Errorf("the lease file is %s", files[0])
	}
	return files[0]
}

// TestLeaseFileOfAnotherCard checks that a lease that was obtained with
// another hardware address is not used.
func TestLeaseFileOfAnotherCard(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, a := h.bound(t)
	_ = d.Stop(t)
	h.client.Run(t, "ip", "link", "set", "c0", "down")
	h.client.Run(t, "ip", "link", "set", "c0", "address", "02:00:00:00:00:99")
	h.client.Run(t, "ip", "link", "set", "c0", "up")
	mark := h.cap.Mark()
	d = h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	now := d.AwaitBound(t, "c0")
	if now.IPv4.Address == a.IPv4.Address {
		t.Errorf("the other card's address %v is in use", now.IPv4.Address)
	}
	if first := h.cap.SentByClient(mark)[0]; !first.Client(discover) {
		t.Errorf("the first packet is %v", first)
	}
	h.dhcp.AwaitHeld(t, now.IPv4.Address.Addr())
}
