package test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/test/lab"
)

// discovered runs `lessee discover c0 -o json`.
func discovered(t *testing.T, d *lab.Daemon) lessee.Discovery {
	t.Helper()
	r := d.Must(t, "discover", "c0", "--timeout", "4s", "-o", "json")
	var found lessee.Discovery
	if err := json.Unmarshal([]byte(r.Stdout), &found); err != nil {
		t.Fatalf("%v\n%s", err, r.Stdout)
	}
	return found
}

// Two servers of different make on one link: discover lists both and says so,
// and the lease that the adapter has, with its counters, stays as it was.
func TestDiscoverFindsBothServers(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d, _ := h.bound(t)
	lab.Need(t, lab.KindByName("dhcpd").Programs...)
	second := h.net.Host("second", "10.77.0.2/24")
	lab.KindByName("dhcpd").Start(t, second, lab.Config{First: addr("10.77.0.200"), Last: addr("10.77.0.210")})

	before := d.Show(t, "c0")
	wire, addresses := h.cap.Mark(), h.changes.Mark()
	found := discovered(t, d)
	if len(found.Offers) != 2 || !slices.Contains(found.Flags, "several-servers") {
		t.Fatalf("%+v", found)
	}
	for _, o := range found.Offers {
		host := map[netip.Addr]*lab.Space{addr("10.77.0.1"): h.server, addr("10.77.0.2"): second}[o.Server]
		if host == nil || o.From != o.Server || o.MAC == "" || !prefix("10.77.0.0/24").Contains(o.Address.Addr()) || o.Lease == 0 {
			t.Errorf("offer %+v", o)
		}
		if other := slices.Contains(o.Flags, "other-server"); other != (o.Server == addr("10.77.0.2")) {
			t.Errorf("flags of %v: %q", o.Server, o.Flags)
		}
	}
	for _, p := range h.cap.SentByClient(wire) {
		if p.Type() != discover {
			t.Errorf("a discovery sent %v", p)
		}
	}
	h.keeps(t, addresses, before.IPv4.Address.Addr())
	after := d.Show(t, "c0")
	for name, n := range after.IPv4.Counters {
		if n != before.IPv4.Counters[name] {
			t.Errorf("the adapter's counter %s went from %d to %d", name, before.IPv4.Counters[name], n)
		}
	}
	if !after.IPv4.Expires.Equal(before.IPv4.Expires) && after.IPv4.Expires.Sub(before.IPv4.Expires).Abs() > time.Second {
		t.Errorf("the lease ends %v, before the discovery %v", after.IPv4.Expires, before.IPv4.Expires)
	}
	if text := d.Must(t, "discover", "c0", "--timeout", "2s").Stdout; !strings.Contains(text, "more than one server makes offers: ") {
		t.Errorf("the table says\n%s", text)
	}
}

// An adapter that nobody manages and that has no address can ask, too.
func TestDiscoverOnUnmanagedAdapter(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d := h.client.ReadyDaemon(t, lab.Options{})
	found := discovered(t, d)
	if len(found.Offers) != 1 || len(found.Flags) != 0 || len(found.Offers[0].Flags) != 0 {
		t.Errorf("%+v", found)
	}
	if have := h.client.Addresses("c0"); len(have) > 0 {
		t.Errorf("the adapter has got %v", have)
	}
	if leases := h.dhcp.Leases(t); slices.ContainsFunc(leases, func(l lab.ServerLease) bool { return l.Active }) {
		t.Errorf("the server has given %v", leases)
	}
	h.dhcp.Stop(t)
	if r := d.CLI(t, "discover", "c0", "--timeout", "1s"); r.Status != 1 || !strings.Contains(r.Stderr, "no DHCP server answered in 1s") {
		t.Errorf("without a server: %+v", r)
	}
	if r := d.CLI(t, "discover", "c9"); r.Status != 1 || !strings.Contains(r.Stderr, "ERROR_FILE_NOT_FOUND") {
		t.Errorf("without an adapter: %+v", r)
	}
	h.port.Unplug()
	if !lab.Eventually(patience, func() bool { return !d.Show(t, "c0").Carrier }) {
		t.Fatal("the pulled cable is not noticed")
	}
	if r := d.CLI(t, "discover", "c0"); r.Status != 1 || !strings.Contains(r.Stderr, "ERROR_NO_NETWORK") {
		t.Errorf("without a carrier: %+v", r)
	}
}

// A trace of a lease's whole life: the ladder has each message, and the capture
// is the same to tcpdump, byte by byte what passed the cable, with the kernel's
// time stamps.
func TestTraceOfALife(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	lab.Need(t, "tcpdump")
	d := h.client.ReadyDaemon(t, lab.Options{})
	file := h.client.Path("life.pcapng")
	cmd := h.client.Command(t, lab.Binary(t), "--socket", d.Socket, "trace", "c0", "-c", "5", "-w", file)
	cmd.Args[0] = "lessee"
	cmd.Env = append(cmd.Environ(), "LC_ALL=C", "TZ=UTC")
	trace := h.client.StartCmd(t, cmd)
	trace.AwaitLine(t, patience, "CLIENT")
	mark := h.cap.Mark()
	d.Must(t, "up", "c0")
	d.Must(t, "release", "c0")
	status, printed := trace.Wait(t, patience), trace.Tail(100)
	if status != 0 {
		t.Fatalf("trace: exit status %d\n%s", status, printed)
	}

	want := []string{"DISCOVER", "OFFER", "REQUEST", "ACK", "RELEASE"}
	ladder := strings.Split(strings.TrimSpace(printed), "\n")[1:]
	if len(ladder) != len(want) {
		t.Fatalf("the ladder is\n%s", printed)
	}
	for i, w := range want {
		if !strings.Contains(ladder[i], " "+w+" ") || !strings.Contains(ladder[i], mac) {
			t.Errorf("rung %d is %q, want %s", i, ladder[i], w)
		}
	}

	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(data), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	h.cap.AwaitClient(mark, patience, release) // the last of them is read
	passed := h.cap.Select(mark, func(p lab.Packet) bool { return p.DHCP != nil })
	if len(passed) != len(want) {
		t.Fatalf("the cable carried %v", passed)
	}
	for i := range want {
		got, ci, opts, err := r.ReadPacketDataWithOptions()
		if err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		p := passed[i]
		if !bytes.Equal(got, p.Raw) || ci.Timestamp.Sub(p.Time).Abs() > 100*time.Millisecond || ci.Timestamp.Nanosecond()%1000 == 0 && ci.Timestamp.Nanosecond()%1000000 == 0 {
			t.Errorf("packet %d at %v is not what passed the cable: %v", i, ci.Timestamp, p)
		}
		if out := opts.Flags.Direction == pcapgo.NgEpbFlagDirectionOutbound; out != p.FromStation {
			t.Errorf("packet %d: direction %v, on the cable %v", i, opts.Flags.Direction, p)
		}
	}
	if i, err := r.Interface(0); err != nil || i.Name != "c0" {
		t.Errorf("interface %+v, %v", i, err)
	}

	dump := h.client.Run(t, "tcpdump", "-Z", "root", "-nnvr", file)
	for _, w := range []string{"Discover", "Offer", "Request", "ACK", "Release"} {
		if !strings.Contains(dump, "DHCP-Message") || !strings.Contains(dump, w) {
			t.Errorf("tcpdump does not see %s:\n%s", w, dump)
		}
	}
}

// Only those who may change something may see what others send.
func TestTraceNeedsPermission(t *testing.T) {
	t.Parallel()
	lab.NeedIDs(t)
	h := newLink(t)
	d := h.client.ReadyDaemon(t, lab.Options{})
	for _, verb := range []string{"trace", "discover"} {
		cmd := h.client.Command(t, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", lab.Binary(t), "--socket", d.Socket, verb, "c0", "--timeout", "1s")
		if r := h.client.Result(t, cmd); r.Status != 1 || !strings.Contains(r.Stderr, "ERROR_ACCESS_DENIED") {
			t.Errorf("%s as nobody: %+v", verb, r)
		}
		if r := h.client.Result(t, h.client.Command(t, lab.Binary(t), "--socket", d.Socket, "why", "c0")); r.Status != 0 {
			t.Errorf("why: %+v", r)
		}
	}
	if n, err := d.Usage(); err != nil || n.Descriptors > 40 {
		t.Errorf("%+v, %v: a refused trace leaves something open", n, err)
	}
}
