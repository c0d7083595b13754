package lab

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink"
)

// A Lab is one test's network of machines.
type Lab struct {
	t      T
	dir    string
	wires  *Space // holds the networks: bridges, and the far ends of all cables
	spaces []*Space
	ports  int
	nets   int
}

// New makes an empty lab, taken down when the test ends.
func New(t T) *Lab {
	t.Helper()
	Need(t)
	dir, err := os.MkdirTemp("", "lb")
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	// Processes of other users are to reach sockets in here.
	if err = os.Chmod(dir, 0o755); err != nil {
		t.Fatalf("lab: %v", err)
	}
	l := &Lab{t: t, dir: dir}
	t.Cleanup(l.close)
	l.wires = l.Space("wires")
	return l
}

func (l *Lab) close() {
	for i := len(l.spaces) - 1; i >= 0; i-- {
		s := l.spaces[i]
		for _, p := range s.close() {
			l.t.Errorf("space %s: left behind: %s", s.Name, p)
		}
	}
	_ = os.RemoveAll(l.dir)
}

// Space makes a machine without any cable.
func (l *Lab) Space(name string) *Space {
	l.t.Helper()
	s, err := newSpace(name, l.dir)
	if err != nil {
		l.t.Fatalf("lab: %v", err)
	}
	if err := os.Chmod(s.Dir, 0o755); err != nil {
		l.t.Fatalf("lab: %v", err)
	}
	l.spaces = append(l.spaces, s)
	return s
}

// A Network is one link-layer segment.
type Network struct {
	Name string
	lab  *Lab
	br   *netlink.Bridge
}

// Network makes a segment without stations.
func (l *Lab) Network(name string) *Network {
	l.t.Helper()
	l.nets++
	br := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: fmt.Sprintf("br%d", l.nets)}}
	if err := errors.Join(l.wires.Net.LinkAdd(br), l.wires.Net.LinkSetUp(br)); err != nil {
		l.t.Fatalf("lab: network %s: %v", name, err)
	}
	return &Network{Name: name, lab: l, br: br}
}

// A Port is a machine's interface and the cable to its network.
type Port struct {
	// Name is the interface's name within the machine.
	Name string
	MAC  net.HardwareAddr

	lab   *Lab
	space *Space
	far   netlink.Link // the cable's other end
}

// Attach gives the machine an interface on the network, administratively up.
func (n *Network) Attach(s *Space, name, mac string) *Port {
	t := n.lab.t
	t.Helper()
	hw, err := net.ParseMAC(mac)
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	n.lab.ports++
	far := fmt.Sprintf("p%d", n.lab.ports)
	veth := &netlink.Veth{
		LinkAttrs:        netlink.LinkAttrs{Name: far, MasterIndex: n.br.Index},
		PeerName:         name,
		PeerHardwareAddr: hw,
		PeerNamespace:    netlink.NsFd(int(s.ns)),
	}
	w := n.lab.wires.Net
	if err = w.LinkAdd(veth); err != nil {
		t.Fatalf("lab: attach %s to %s: %v", name, n.Name, err)
	}
	near, err := s.Net.LinkByName(name)
	if err == nil {
		err = errors.Join(w.LinkSetUp(veth), s.Net.LinkSetUp(near))
	}
	if err != nil {
		t.Fatalf("lab: attach %s to %s: %v", name, n.Name, err)
	}
	p := &Port{Name: name, MAC: hw, lab: n.lab, space: s, far: veth}
	p.awaitForwarding()
	return p
}

// awaitForwarding waits until frames from the station reach the network: a
// bridge port passes none for an instant after the carrier came.
func (p *Port) awaitForwarding() {
	p.lab.t.Helper()
	ok := Eventually(waitLong, func() bool {
		far, err := p.lab.wires.Net.LinkByIndex(p.far.Attrs().Index)
		if err != nil || far.Attrs().OperState != netlink.OperUp {
			return false
		}
		state := ""
		_ = p.lab.wires.Do(func() error {
			b, err := os.ReadFile("/sys/class/net/" + far.Attrs().Name + "/brport/state")
			state = string(b)
			return err
		})
		return state == "" || state == "3\n" // no /sys, or forwarding
	})
	if !ok {
		p.lab.t.Fatalf("lab: %s of %s: the cable does not come up", p.Name, p.space.Name)
	}
}

// Unplug takes the carrier away.
func (p *Port) Unplug() {
	p.lab.t.Helper()
	if err := p.lab.wires.Net.LinkSetDown(p.far); err != nil {
		p.lab.t.Fatalf("lab: unplug %s: %v", p.Name, err)
	}
}

// Plug brings the carrier back.
func (p *Port) Plug() {
	p.lab.t.Helper()
	if err := p.lab.wires.Net.LinkSetUp(p.far); err != nil {
		p.lab.t.Fatalf("lab: plug %s: %v", p.Name, err)
	}
}

// MoveAtOnce plugs the cable into another network faster than the station's
// kernel tells anybody that the carrier was away.
func (p *Port) MoveAtOnce(to *Network) {
	p.lab.t.Helper()
	w := p.lab.wires.Net
	if err := errors.Join(w.LinkSetDown(p.far), w.LinkSetMaster(p.far, to.br), w.LinkSetUp(p.far)); err != nil {
		p.lab.t.Fatalf("lab: move %s to %s: %v", p.Name, to.Name, err)
	}
}

// Move plugs the cable into another network, once the station's kernel has
// noticed that it was pulled: faster than that no hand is.
func (p *Port) Move(to *Network) {
	p.lab.t.Helper()
	p.Unplug()
	if !Eventually(waitLong, func() bool {
		near, err := p.space.Net.LinkByName(p.Name)
		return err == nil && near.Attrs().OperState != netlink.OperUp
	}) {
		p.lab.t.Fatalf("lab: %s of %s: the pulled cable is not noticed", p.Name, p.space.Name)
	}
	if err := p.lab.wires.Net.LinkSetMaster(p.far, to.br); err != nil {
		p.lab.t.Fatalf("lab: move %s to %s: %v", p.Name, to.Name, err)
	}
	p.Plug()
}

// Host makes a machine with the interface s0 on the network that has the
// address, such as "10.77.0.1/24".
func (n *Network) Host(name, address string) *Space {
	t := n.lab.t
	t.Helper()
	s := n.lab.Space(name)
	n.lab.ports++
	n.Attach(s, "s0", fmt.Sprintf("02:00:00:00:01:%02x", n.lab.ports))
	s.AddAddress(t, "s0", address)
	return s
}

// AddAddress gives an interface of the machine an address, such as "10.77.0.1/24".
func (s *Space) AddAddress(t T, ifname, address string) {
	t.Helper()
	addr, err := netlink.ParseAddr(address)
	if err != nil {
		t.Fatalf("space %s: %v", s.Name, err)
	}
	link, err := s.Net.LinkByName(ifname)
	if err == nil {
		err = s.Net.AddrAdd(link, addr)
	}
	if err != nil {
		t.Fatalf("space %s: address %s on %s: %v", s.Name, address, ifname, err)
	}
}

// Cable connects two machines directly: nothing but the cable between their
// interfaces, which are administratively up.
func (l *Lab) Cable(a *Space, aName, aMAC string, b *Space, bName, bMAC string) {
	l.t.Helper()
	hwA, errA := net.ParseMAC(aMAC)
	hwB, errB := net.ParseMAC(bMAC)
	err := errors.Join(errA, errB)
	if err == nil {
		err = a.Net.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: aName, HardwareAddr: hwA},
			PeerName:  bName, PeerHardwareAddr: hwB, PeerNamespace: netlink.NsFd(int(b.ns)),
		})
	}
	for _, end := range []struct {
		s    *Space
		name string
	}{{a, aName}, {b, bName}} {
		if err == nil {
			err = end.s.SetUp(end.name, true)
		}
	}
	if err != nil {
		l.t.Fatalf("lab: cable %s-%s: %v", aName, bName, err)
	}
}

// SetUp sets an interface administratively up or down.
func (s *Space) SetUp(ifname string, up bool) error {
	link, err := s.Net.LinkByName(ifname)
	if err != nil {
		return err
	}
	if up {
		return s.Net.LinkSetUp(link)
	}
	return s.Net.LinkSetDown(link)
}

// Processes returns the ids of the processes that run in the machine.
func (s *Space) Processes() []int { return s.strangers() }
