package test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/test/lab"
)

// A slowDisk is a state folder whose writers can be made to wait.
type slowDisk struct {
	name string
	// install makes the folder. hold has writers wait until release is called.
	// held waits until one does.
	install func(t *testing.T, s *lab.Space) (dir string, hold func() (release func()), held func(d *lab.Daemon))
}

var slowDisks = []slowDisk{
	{"slow", func(t *testing.T, s *lab.Space) (string, func() func(), func(*lab.Daemon)) {
		disk := s.FaultyDisk(t, "disk")
		return disk.Dir, func() func() { return disk.Hold(lab.AllDiskOps()...) }, func(*lab.Daemon) { disk.AwaitHeld(0) }
	}},
	{"slow to flush", func(t *testing.T, s *lab.Space) (string, func() func(), func(*lab.Daemon)) {
		disk := s.FaultyDisk(t, "disk")
		return disk.Dir, func() func() { return disk.Hold(lab.OpFsync) }, func(*lab.Daemon) { disk.AwaitHeld(0) }
	}},
	{"frozen", func(t *testing.T, s *lab.Space) (string, func() func(), func(*lab.Daemon)) {
		disk := s.FreezableDisk(t, "disk")
		return disk.Dir, disk.Freeze, func(d *lab.Daemon) {
			if !lab.Eventually(patience, d.Blocked) {
				t.Fatal("the daemon does not write to the frozen disk")
			}
		}
	}},
}

// TestSlowState checks that a state folder that does not answer, for one
// adapter's record, holds up nothing: calls for that adapter and for another one
// are answered meanwhile.
func TestSlowState(t *testing.T) {
	t.Parallel()
	for _, slow := range slowDisks {
		t.Run(slow.name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, dnsmasq(), lab.Config{DNS: []netip.Addr{addr("10.77.0.1")}, Domain: "example.org"})
			h.net.Attach(h.client, "c1", "02:00:00:00:00:03")
			dir, hold, held := slow.install(t, h.client)
			d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0", "c1"}, State: dir})
			d.AwaitBound(t, "c1")
			address := d.AwaitBound(t, "c0").IPv4.Address.Addr()
			awaitPersisted(t, d)

			const times = 20
			undisturbed := renewTimes(t, d, "c1", times)
			release := hold()
			d.Must(t, "renew", "c0")
			held(d)
			disturbed := renewTimes(t, d, "c1", times)
			logTimes(t, "the disk is "+slow.name, undisturbed, disturbed)
			d.Must(t, "list")
			d.Must(t, "why", "c0")
			d.Must(t, "renew", "c0")
			h.keeps(t, 0, address)
			d.Must(t, "release", "c0")
			h.dhcp.AwaitFreed(t, address)
			d.Must(t, "renew", "c0")
			d.Must(t, "down", "c1")

			release()

			awaitPersisted(t, d)
			if problem := show(t, d).IPv4.Problem; problem != "" {
				t.Errorf("the problem is %q", problem)
			}
		})
	}
}

// logTimes tells what a disturbance did to the renewals of another adapter. How long
// they take is no matter of the test: they are done while it lasts.
func logTimes(t *testing.T, what string, undisturbed, disturbed time.Duration) {
	t.Helper()
	t.Logf("renew of another adapter, median: %v undisturbed, %v while %s: %.2f times", undisturbed, disturbed, what, float64(disturbed)/float64(undisturbed))
}

// renewTimes renews that often and returns the median of the times.
func renewTimes(t *testing.T, d *lab.Daemon, adapter string, times int) time.Duration {
	t.Helper()
	var took []time.Duration
	for range times {
		began := time.Now()
		if err := d.Client.Renew(context.Background(), adapter); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2]
}
