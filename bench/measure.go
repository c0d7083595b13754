package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/vishvananda/netlink"

	"github.com/lessee/lessee/test/lab"
)

// patience is how long a client may take for anything.
const patience = 30 * time.Second

// rest is how long a client is idle before its carrier comes.
const rest = 1200 * time.Millisecond

// A bench is one run of all measures.
type bench struct {
	runs, leases, frames, routes int

	exchange                        row
	start, linkUp                   row
	linkDiscover, ackAddress        row
	faults                          row
	startDiscover                   row
	renewRequest, renewACK, release row
	renewCommand, releaseCommand    row
	memory, memoryMore              row
	threads, descriptors            row
	rejoin, strangers, quiet        row
	foreignRoutes, quietRoutes      row
	sockets, hooks                  row
	failed                          []string
	strangersOnly, linkUpOnly       bool
}

func (b *bench) name() {
	for _, r := range []struct {
		row  *row
		name string
		unit func(float64) string
		note string
	}{
		{&b.exchange, "bare exchange", milliseconds, ""},
		{&b.start, "process start -> address", milliseconds, "floor"},
		{&b.startDiscover, "  process start -> DISCOVER", milliseconds, ""},
		{&b.linkUp, "link up -> address", milliseconds, "floor"},
		{&b.linkDiscover, "  link up -> DISCOVER", milliseconds, ""},
		{&b.ackAddress, "  ACK -> address", milliseconds, ""},
		{&b.faults, "  page faults, link up -> address", whole, "plain"},
		{&b.rejoin, "rejoin a known network: link up -> address", milliseconds, "floor"},
		{&b.renewRequest, "renew call -> REQUEST", milliseconds, ""},
		{&b.renewACK, "renew call -> ACK", milliseconds, ""},
		{&b.release, "release call -> RELEASE", milliseconds, ""},
		{&b.renewCommand, "renew command -> REQUEST", milliseconds, ""},
		{&b.releaseCommand, "release command -> RELEASE", milliseconds, ""},
		{&b.memory, "memory with one lease", kibibytes, ""},
		{&b.memoryMore, "one more idle lease: memory*", kibibytes, ""},
		{&b.threads, "  threads", count, "plain"},
		{&b.descriptors, "  descriptors", count, "plain"},
		{&b.strangers, "wake-ups by a million foreign frames", whole, "plain"},
		{&b.quiet, "  in as much time without", whole, "plain"},
		{&b.foreignRoutes, "wake-ups by 100,000 foreign changes of routes", whole, "plain"},
		{&b.quietRoutes, "  in as much time without", whole, "plain"},
		{&b.sockets, "packet sockets that receive while idle", whole, "plain"},
		{&b.hooks, "  that frames of other interfaces reach", whole, "plain"},
	} {
		r.row.name, r.row.unit, r.row.note = r.name, r.unit, r.note
	}
}

// trial is what lab asks of a test, for one measure of one client: a failure
// ends it, and only it.
type trial struct {
	what     string
	env      []string // of the client
	cleanups []func()
	failed   string
	logs     []string
}

func (t *trial) Helper()                       {}
func (t *trial) Name() string                  { return t.what }
func (t *trial) Failed() bool                  { return t.failed != "" }
func (t *trial) Cleanup(f func())              { t.cleanups = append(t.cleanups, f) }
func (t *trial) Logf(format string, a ...any)  { t.logs = append(t.logs, fmt.Sprintf(format, a...)) }
func (t *trial) Skipf(format string, a ...any) { t.Fatalf(format, a...) }
func (t *trial) Errorf(format string, a ...any) {
	if t.failed == "" {
		t.failed = fmt.Sprintf(format, a...)
	}
}

func (t *trial) Fatalf(format string, a ...any) {
	t.Errorf(format, a...)
	runtime.Goexit()
}

// try runs f as a trial and returns why it failed.
func try(what string, f func(t *trial)) error {
	t := &trial{what: what}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for i := len(t.cleanups) - 1; i >= 0; i-- {
				t.cleanups[i]()
			}
		}()
		f(t)
	}()
	<-done
	if t.failed == "" {
		return nil
	}
	if os.Getenv("LESSEE_BENCH_LOGS") != "" {
		fmt.Fprintln(os.Stderr, strings.Join(t.logs, "\n"))
	}
	return errors.New(what + ": " + t.failed)
}

const clientMAC, serverMAC = "02:00:00:00:00:02", "02:00:00:00:00:01"

// A scene is a client's machine, a server's, a cable, and the observer.
type scene struct {
	t              *trial
	lab            *lab.Lab
	client, server *lab.Space
	packets        *lab.Capture
	addresses      *lab.AddressWatch
	links          *lab.Journal[time.Time] // when c0 got its carrier
}

// newScene connects c0 of the client with s0 of the server, which answers at once.
func newScene(t *trial) *scene {
	l := lab.New(t)
	s := &scene{t: t, lab: l, client: l.Space("client"), server: l.Space("server")}
	l.Cable(s.client, "c0", clientMAC, s.server, "s0", serverMAC)
	s.server.AddAddress(t, "s0", "10.77.0.1/16")
	s.serve("s0")
	link, err := s.client.Net.LinkByName("c0")
	if err != nil {
		t.Fatalf("%v", err)
	}
	if s.packets, err = lab.OpenCapture(s.client, link.Attrs().Index, true); err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = s.packets.Close() })
	s.addresses = s.client.WatchAddresses(t)
	s.links = s.client.WatchCarrier(t, "c0")
	return s
}

func (s *scene) serve(ifname string) {
	v, err := serve(s.server, ifname)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	s.t.Cleanup(v.Close)
}

// carrier gives c0 a carrier, or takes it away and waits until that is noticed.
func (s *scene) carrier(on bool) {
	if err := s.server.SetUp("s0", on); err != nil {
		s.t.Fatalf("%v", err)
	}
	if on {
		return
	}
	if !lab.Eventually(patience, func() bool {
		l, err := s.client.Net.LinkByName("c0")
		return err == nil && l.Attrs().OperState != netlink.OperUp
	}) {
		s.t.Fatalf("the carrier stays")
	}
}

// addressAfter waits for an address of c0 and returns when it came.
func (s *scene) addressAfter(mark int) time.Time {
	c, _, ok := s.addresses.Wait(mark, patience, func(c lab.AddressChange) bool {
		return !c.Removed && c.Prefix.Addr().As4()[0] == 10
	})
	if !ok {
		s.t.Fatalf("no address within %v", patience)
	}
	return c.Time
}

// upAfter waits for the carrier and returns when it came.
func (s *scene) upAfter(mark int) time.Time {
	up, _, ok := s.links.Wait(mark, patience, func(time.Time) bool { return true })
	if !ok {
		s.t.Fatalf("no carrier within %v", patience)
	}
	return up
}

// sentAfter waits for a message of the client and returns when it left.
func (s *scene) sentAfter(mark int, m dhcpv4.MessageType) time.Time {
	p, _, ok := s.packets.Wait(mark, patience, func(p lab.Packet) bool { return p.Client(m) })
	if !ok {
		s.t.Fatalf("no %s within %v", m, patience)
	}
	return p.Time
}

// gotAfter waits for a message to the client and returns when it came.
func (s *scene) gotAfter(mark int, m dhcpv4.MessageType) time.Time {
	p, _, ok := s.packets.Wait(mark, patience, func(p lab.Packet) bool { return p.Server(m) })
	if !ok {
		s.t.Fatalf("no %s within %v", m, patience)
	}
	return p.Time
}

// floor measures the bare exchange.
func (b *bench) floor() error {
	b.name()
	return try("bare exchange", func(t *trial) {
		s := newScene(t)
		for i := range 10*b.runs + 3 {
			took, err := exchange(s.client, "c0")
			if err != nil {
				t.Fatalf("%v", err)
			}
			if i >= 3 { // the first ones warm up
				b.exchange.add("lessee", took.Seconds())
			}
		}
	})
}

// client takes all measures of a client.
func (b *bench) client(c *client) {
	note := func(err error) bool {
		if err != nil {
			b.failed = append(b.failed, err.Error())
		}
		return err == nil
	}
	if b.strangersOnly {
		note(try(c.name+": foreign frames", func(t *trial) { b.measureStrangers(t, c) }))
		return
	}
	for range b.runs {
		if b.linkUpOnly {
			break
		}
		if !note(try(c.name+": start", func(t *trial) { b.measureStart(t, c) })) {
			break
		}
	}
	if c.watchesLink {
		for range b.runs {
			if !note(try(c.name+": link up", func(t *trial) { b.measureLinkUp(t, c) })) {
				break
			}
		}
	}
	if b.linkUpOnly {
		return
	}
	if c.remembers {
		for range b.runs {
			if !note(try(c.name+": rejoin", func(t *trial) { b.measureRejoin(t, c) })) {
				break
			}
		}
	}
	note(try(c.name+": foreign frames", func(t *trial) { b.measureStrangers(t, c) }))
	note(try(c.name+": renew and release", func(t *trial) { b.measureVerbs(t, c) }))
	note(try(c.name+": memory", func(t *trial) { b.measureMemory(t, c) }))
}

func (b *bench) measureStart(t *trial, c *client) {
	s := newScene(t)
	c.prepare(t, s.client, []string{"c0"})
	mark := s.addresses.Mark()
	began := time.Now()
	c.start(t, s.client, []string{"c0"})
	b.start.add(c.name, s.addressAfter(mark).Sub(began).Seconds())
	b.startDiscover.add(c.name, s.sentAfter(0, dhcpv4.MessageTypeDiscover).Sub(began).Seconds())
}

// measureLinkUp has the client run without a carrier and without a lease.
func (b *bench) measureLinkUp(t *trial, c *client) {
	s := newScene(t)
	s.carrier(false)
	c.prepare(t, s.client, []string{"c0"})
	p := c.start(t, s.client, []string{"c0"})
	p.idle()
	time.Sleep(rest)
	mark, links := s.addresses.Mark(), s.links.Mark()
	pids := s.client.Processes()
	before := lab.Faults(pids...)
	s.carrier(true)
	up := s.upAfter(links)
	configured := s.addressAfter(mark)
	b.faults.add(c.name, float64(lab.Faults(pids...)-before))
	b.linkUp.add(c.name, configured.Sub(up).Seconds())
	b.linkDiscover.add(c.name, s.sentAfter(0, dhcpv4.MessageTypeDiscover).Sub(up).Seconds())
	b.ackAddress.add(c.name, configured.Sub(s.gotAfter(0, dhcpv4.MessageTypeAck)).Seconds())
}

func (b *bench) measureVerbs(t *trial, c *client) {
	s := newScene(t)
	c.prepare(t, s.client, []string{"c0"})
	p := c.start(t, s.client, []string{"c0"})
	s.addressAfter(0)
	p.bound()
	for range b.runs {
		if p.renew != nil {
			b.renewOnce(s, c.name, p, p.renew, &b.renewRequest, &b.renewACK)
		}
		if p.renewCommand != nil {
			b.renewOnce(s, c.name, p, p.renewCommand, &b.renewCommand, nil)
		}
	}
	for _, v := range []struct {
		run func()
		row *row
	}{{p.release, &b.release}, {p.releaseCommand, &b.releaseCommand}} {
		if v.run == nil {
			continue
		}
		for range b.runs {
			mark := s.packets.Mark()
			began := time.Now()
			v.run()
			v.row.add(c.name, s.sentAfter(mark, dhcpv4.MessageTypeRelease).Sub(began).Seconds())
			if p.again == nil {
				break // the client ends with the release
			}
			addresses := s.addresses.Mark()
			p.again()
			s.addressAfter(addresses)
		}
	}
}

func (b *bench) renewOnce(s *scene, name string, p *running, renew func(), request, answer *row) {
	mark := s.packets.Mark()
	var settled func()
	if p.settle != nil {
		settled = p.settle()
	}
	began := time.Now()
	renew()
	request.add(name, s.sentAfter(mark, dhcpv4.MessageTypeRequest).Sub(began).Seconds())
	ack := s.gotAfter(mark, dhcpv4.MessageTypeAck)
	if answer == nil {
		answer = &row{}
	}
	answer.add(name, ack.Sub(began).Seconds())
	if settled != nil {
		settled() // before it is asked again
	}
}

// measureMemory measures a client with one lease, and compares it with some
// and with many for the cost of one more: what many at once take that one
// alone does not, as a collector's head room, is no lease's.
func (b *bench) measureMemory(t *trial, c *client) {
	some, many := 1+b.leases/4, 1+b.leases
	if c.perAdapter {
		some, many = 1, 1+max(1, b.leases/20)
	}
	b.memory.add(c.name, b.usage(t, c, 1).memory)
	t.env = c.lean
	less, more := b.usage(t, c, some), b.usage(t, c, many)
	each := func(more, less float64) float64 { return (more - less) / float64(many-some) }
	b.memoryMore.add(c.name, each(more.memory, less.memory))
	b.threads.add(c.name, each(more.threads, less.threads))
	b.descriptors.add(c.name, each(more.descriptors, less.descriptors))
}

type usage struct{ memory, threads, descriptors float64 }

// usage lets a client obtain that many leases and returns what it takes then.
func (b *bench) usage(t *trial, c *client, adapters int) usage {
	l := lab.New(t)
	s := &scene{t: t, lab: l, client: l.Space("client"), server: l.Space("server")}
	br := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0", HardwareAddr: hw(serverMAC)}}
	if err := s.server.Net.LinkAdd(br); err != nil {
		t.Fatalf("%v", err)
	}
	if err := s.server.SetUp("br0", true); err != nil {
		t.Fatalf("%v", err)
	}
	s.server.AddAddress(t, "br0", "10.77.0.1/16")
	var names []string
	for i := range adapters {
		name, port := "c"+strconv.Itoa(i), "s"+strconv.Itoa(i)
		l.Cable(s.client, name, fmt.Sprintf("02:00:00:01:%02x:%02x", i>>8, i&255), s.server, port, fmt.Sprintf("02:00:00:02:%02x:%02x", i>>8, i&255))
		link, err := s.server.Net.LinkByName(port)
		if err == nil {
			err = s.server.Net.LinkSetMaster(link, br)
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		names = append(names, name)
	}
	s.serve("br0")
	c.prepare(t, s.client, names)
	c.start(t, s.client, names)
	for _, n := range names {
		s.client.AwaitAddress(t, n, patience)
	}
	// Let timers of the exchange end and a collector run: what is idle is measured.
	time.Sleep(2 * time.Second)
	var u usage
	for _, pid := range s.client.Processes() {
		if x, err := lab.UsageOf(pid); err == nil {
			u.threads += float64(x.Threads)
			u.descriptors += float64(x.Descriptors)
		}
		u.memory += proportional(pid)
	}
	return u
}

// proportional returns the memory of a process in bytes, pages that it shares
// with others counted in part.
func proportional(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "Pss:" {
			n, _ := strconv.Atoi(f[1])
			return float64(n) * 1024
		}
	}
	return 0
}

func hw(s string) net.HardwareAddr {
	m, err := net.ParseMAC(s)
	if err != nil {
		panic(err) // a constant of this program
	}
	return m
}
