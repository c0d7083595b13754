package simulation

import (
	"runtime"
	"testing"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/tenancy/v4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// lonely is a machine on a link without a server.
func lonely(change func(*v4.Config)) *simulation {
	s := &simulation{world: dhcptest.New(1), tally: Tally{}}
	s.chance = s.world.Rand("simulation")
	s.rules.init(s)
	n := &network{link: s.world.NewLink("net")}
	s.networks, s.here = []*network{n}, n
	addr := dhcptest.LinkAddr{2, 0, 0, 0, 0, 2}
	s.m = newMachine(s, addr, n.link)
	s.m.cfg = v4.Config{DHCP4: dhcp4.Config{HardwareType: wire.HardwareEthernet, HardwareAddr: addr[:]}}
	s.m.configured = true
	change(&s.m.cfg)
	s.m.start()
	return s
}

// live lets days pass, on each of which the link goes once.
func (s *simulation) live(t *testing.T, days int) {
	t.Helper()
	for range days {
		s.wait(24*time.Hour - time.Minute)
		s.plug(nil)
		s.wait(time.Minute)
		s.plug(s.networks[0])
		if s.failure != nil {
			t.Fatal(s.failure)
		}
	}
}

// retained counts the objects on the heap that something still refers to.
func retained() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapObjects
}

// Memory is bounded over a year without a server. The count is of objects, not
// of the process's pages. Other tests would add to it: not parallel.
//
//nolint:paralleltest // see above
func TestYearWithoutServer(t *testing.T) {
	year := 365
	if testing.Short() {
		year = 60
	}
	s := lonely(func(c *v4.Config) { c.LinkLocal = true })
	s.live(t, 20)
	sent, before := s.tally["sent DISCOVER"], retained()
	s.live(t, year-20)
	after := retained()
	if after > before+100 {
		t.Errorf("%d objects after 20 days, %d after %d", before, after, year)
	}
	perDay := (s.tally["sent DISCOVER"] - sent) / (year - 20)
	if perDay < 1000 || perDay > 1500 {
		t.Errorf("%d DISCOVERs a day", perDay)
	}
	runtime.KeepAlive(s)
}
