package test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/lessee/lessee/test/lab"
)

// TestPain_systemd29904_RapidCommit: two messages where the server can do with
// two, four where it cannot, and where it is told not to.
func TestPain_systemd29904_RapidCommit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server []string
		config string
		want   []dhcpv4.MessageType
	}{
		"both":         {[]string{"dhcp-rapid-commit"}, "", []dhcpv4.MessageType{discover}},
		"client only":  {nil, "", []dhcpv4.MessageType{discover, request}},
		"server only":  {[]string{"dhcp-rapid-commit"}, "[defaults]\nrapid_commit = false\n", []dhcpv4.MessageType{discover, request}},
		"in the OFFER": {[]string{"dhcp-option-force=80"}, "", []dhcpv4.MessageType{discover, request}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, dnsmasq(), lab.Config{Dnsmasq: c.server})
			d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Config: c.config})
			a := d.AwaitBound(t, "c0")
			var got []dhcpv4.MessageType
			for _, p := range h.cap.SentByClient(0) {
				got = append(got, p.Type())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("the client sent %v, want %v", got, c.want)
			}
			// Whichever way it came, the lease is one that can be renewed and given back.
			d.Must(t, "renew", "c0")
			d.Must(t, "release", "c0")
			h.dhcp.AwaitFreed(t, a.IPv4.Address.Addr())
		})
	}
}

// TestIPv6Only: where the network prefers it and the host was told that it can,
// there is no address.
func TestIPv6Only(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{Dnsmasq: []string{"dhcp-option=108,00:00:07:08"}})
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Config: "[adapter.c0]\nipv6_only = true\n"})
	d.AwaitState(t, "c0", patience, "ipv6-only")
	if sent := h.cap.SentByClient(0); len(sent) != 1 || sent[0].Type() != discover {
		t.Errorf("the client sent %v", sent)
	}
	if has := h.client.Addresses("c0"); len(has) != 0 {
		t.Errorf("the adapter has %v", has)
	}
	if r := d.CLI(t, "renew", "c0"); r.Status != 1 {
		t.Errorf("renew: %+v", r)
	}
	_ = d.Stop(t)
	// The same network gives one to a host that needs it.
	d = h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}})
	d.AwaitBound(t, "c0")
}

// TestWhatServersAreTold: every setting arrives on the wire, in DISCOVER and REQUEST.
func TestWhatServersAreTold(t *testing.T) {
	t.Parallel()
	h := newHome(t, dnsmasq(), lab.Config{})
	d := h.client.ReadyDaemon(t, lab.Options{Args: []string{"c0"}, Config: `
[defaults]
hostname = "box"
fqdn = "box.lab.test"
vendor_class = "lessee test"
user_class = ["lab"]
request = [66]
no_request = [121]
rapid_commit = false
send = { "93" = "0007" }
[defaults.vendor_identifying_class]
3561 = "aa"
[defaults.vendor_identifying_options]
3561 = { "1" = "bb" }
`})
	d.AwaitBound(t, "c0")
	d.Must(t, "renew", "c0")
	want := map[uint8]string{
		60: hex.EncodeToString([]byte("lessee test")), 77: "036c6162", 81: "050000" + "03626f78036c61620474657374" + "00",
		93: "0007", 124: "00000de901aa", 125: "00000de9030101bb", 12: "",
	}
	for _, p := range h.cap.SentByClient(0) {
		for code, value := range want {
			if got := hex.EncodeToString(p.DHCP.Options.Get(dhcpv4.GenericOptionCode(code))); got != value {
				t.Errorf("%v: option %d is %s, want %q", p, code, got, value)
			}
		}
		list := p.DHCP.Options.Get(dhcpv4.OptionParameterRequestList)
		if !bytes.Contains(list, []byte{66}) || bytes.Contains(list, []byte{121}) {
			t.Errorf("%v asks for %v", p, list)
		}
	}
}

// TestAnonymous: a client with all settings tells a server nothing but the
// hardware address, and gets its lease all the same, from each of them.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind *lab.Kind) {
		h := newHome(t, kind, lab.Config{Router: addr("10.77.0.1")})
		d := h.client.ReadyDaemon(t, lab.Options{
			Args: []string{"c0"}, Config: "[defaults]\nanonymous = true\nhostname = \"box\"\nfqdn = \"box.lab\"\nvendor_class = \"v\"\nclient_id = \"ff:01:02\"\n",
		})
		d.AwaitBound(t, "c0")
		d.Must(t, "renew", "c0")
		d.Must(t, "release", "c0")
		h.cap.AwaitClient(0, patience, release)
		for _, p := range h.cap.SentByClient(0) {
			for code, v := range p.DHCP.Options {
				switch code {
				case 50, 53, 54, 55:
				case 61:
					if want := "01" + "020000000002"; hex.EncodeToString(v) != want {
						t.Errorf("%v: client identifier %x", p, v)
					}
				default:
					t.Errorf("%v: option %d", p, code)
				}
			}
		}
	})
}
