package daemon

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lessee/lessee/dhcp4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

func mustParse(t *testing.T, text string) Config {
	t.Helper()
	c, err := parseConfig("lessee.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestClientDefaults: what holds without a configuration.
func TestClientDefaults(t *testing.T) {
	t.Parallel()
	var c Config
	a := c.adapter("eth0")
	if !a.RapidCommit || a.IPv6Only || a.ForceRenew || a.Anonymous || a.Profile != nil || a.ClientID != nil || a.DUID != nil || a.Request != nil || a.NoRequest != nil {
		t.Errorf("%+v", a)
	}
}

// TestClientConfig: every setting arrives, an adapter's before the defaults'.
func TestClientConfig(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `
[defaults]
rapid_commit = false
ipv6_only = true
forcerenew = true
fqdn = "box.example.org"
fqdn_update = "none"
vendor_class = "lab"
user_class = ["a", "bc"]
request = [66, 67]
no_request = [121]
[defaults.send]
43 = "01:02"
93 = "0007"
[adapter.eth1]
rapid_commit = true
anonymous = true
client_id = "mac"
fqdn = ""
send = { "224" = "ff" }
request = []
[adapter.eth1.vendor_identifying_class]
3561 = "ab"
[adapter.eth1.vendor_identifying_options]
3561 = { "2" = "02", "1" = "01", "10" = "" }
9 = {}
`)
	a := c.adapter("eth0")
	if a.RapidCommit || !a.IPv6Only || !a.ForceRenew || a.Anonymous {
		t.Errorf("eth0: %+v", a)
	}
	if !slices.Equal(a.Request, []wire.OptionCode{66, 67}) || !slices.Equal(a.NoRequest, []wire.OptionCode{121}) {
		t.Errorf("eth0 asks for %v, not for %v", a.Request, a.NoRequest)
	}
	p := a.Profile
	if p.FQDN.String() != "box.example.org" || p.Update != dhcp4.FQDNByNobody || p.VendorClass != "lab" || !slices.Equal(p.UserClasses, []string{"a", "bc"}) {
		t.Errorf("eth0: %+v", p)
	}
	if len(p.Send) != 2 || p.Send[0].Code != 43 || !bytes.Equal(p.Send[0].Value, []byte{1, 2}) || p.Send[1].Code != 93 {
		t.Errorf("eth0 sends %+v", p.Send)
	}
	if c.adapter("eth2").Profile != p || c.adapter("eth0").Profile != p {
		t.Error("adapters with the same settings do not share them")
	}
	a = c.adapter("eth1")
	p = a.Profile
	if !a.RapidCommit || !a.Anonymous || !a.IPv6Only || len(a.Request) != 0 || !p.FQDN.IsZero() || p.VendorClass != "lab" {
		t.Errorf("eth1: %+v, %+v", a, p)
	}
	if len(p.Send) != 1 || p.Send[0].Code != 224 {
		t.Errorf("eth1 sends %+v", p.Send)
	}
	if len(p.VendorClasses) != 1 || p.VendorClasses[0].Enterprise != 3561 || !bytes.Equal(p.VendorClasses[0].Data, []byte{0xab}) {
		t.Errorf("eth1: %+v", p.VendorClasses)
	}
	if len(p.VendorOptions) != 2 || p.VendorOptions[0].Enterprise != 9 || len(p.VendorOptions[1].Options) != 3 ||
		p.VendorOptions[1].Options[0].Code != 1 || p.VendorOptions[1].Options[2].Code != 10 {
		t.Errorf("eth1: %+v", p.VendorOptions)
	}
}

// TestClientConfigErrors: what cannot be sent is refused when it is read.
func TestClientConfigErrors(t *testing.T) {
	t.Parallel()
	for text, problem := range map[string]string{
		`fqdn = "a b"`:            `key "defaults.fqdn": "a b" is not a host name`,
		`fqdn_update = "both"`:    `key "defaults.fqdn_update": "both" is not one of server, client, none`,
		`client_id = "dmac"`:      `key "defaults.client_id": "dmac" is not one of mac, duid`,
		`request = [0]`:           `key "defaults.request": 0 is not the code of an option`,
		`no_request = [255]`:      `key "defaults.no_request": 255 is not the code of an option`,
		`no_request = [51]`:       `defaults: option 51 (lease time) is asked for always`,
		`request = ["66"]`:        `must be a whole number from 0 to 4294967295`,
		`send = { "53" = "01" }`:  `key "defaults.send.53": option 53 (message type) is the protocol's own`,
		`send = { "61" = "01" }`:  `key "defaults.send.61": option 61 (client identifier) has a setting of its own`,
		`send = { "300" = "01" }`: `key "defaults.send.300": "300" is not a number from 0 to 255`,
		`send = { "043" = "01" }`: `"043" is not a number`,
		`send = { "43" = "0" }`:   `key "defaults.send.43": "0" is not hexadecimal`,
		`user_class = [""]`:       `defaults: profile: user class of 0 bytes`,
		`iaid = -1`:               `must be a whole number`,
		`rapid_commit = "yes"`:    `must be true or false`,
		"vendor_class = \"" + strings.Repeat("x", 256) + "\"":   `defaults: profile: vendor class of 256 bytes`,
		`vendor_identifying_class = { "x" = "00" }`:             `key "defaults.vendor_identifying_class.x": "x" is not a number`,
		`vendor_identifying_options = { "9" = { "x" = "00" } }`: `key "defaults.vendor_identifying_options.9.x": "x" is not a number`,
		`vendor_identifying_options = { "9" = { "1" = "x" } }`:  `key "defaults.vendor_identifying_options.9.1": "x" is not hexadecimal`,
	} {
		_, err := parseConfig("lessee.toml", []byte("[defaults]\n"+text+"\n"))
		e, ok := errors.AsType[*ConfigError](err)
		if !ok || !strings.Contains(e.Problem, problem) {
			t.Errorf("%s: got %v, want %s", text, err, problem)
		}
	}
	// What is wrong for one adapter only is said of that one.
	_, err := parseConfig("lessee.toml", []byte("[adapter.eth0]\nno_request = [1]\n"))
	if err == nil || !strings.Contains(err.Error(), "adapter.eth0: option 1 (subnet mask)") {
		t.Errorf("%v", err)
	}
}

// TestMachineDUID: the identifier is the machine's, of the type that RFC 6355
// has, and does not give the machine's own away.
func TestMachineDUID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(text string) string {
		name := filepath.Join(dir, "machine-id")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	const one, two = "0123456789abcdef0123456789abcdef", "1123456789abcdef0123456789abcdef"
	duid, err := readDUID(file(one + "\n"))
	if err != nil || len(duid) != 18 || duid[0] != 0 || duid[1] != 4 || duid[8]>>4 != 4 || duid[10]>>6 != 2 {
		t.Fatalf("%x, %v", duid, err)
	}
	again, _ := readDUID(file(one))
	other, _ := readDUID(file(two))
	if !bytes.Equal(duid, again) || bytes.Equal(duid, other) {
		t.Errorf("%x, again %x, of another machine %x", duid, again, other)
	}
	if strings.Contains(hex.EncodeToString(duid), one[:12]) {
		t.Error("the machine's identifier shows")
	}
	for _, bad := range []string{"", "uninitialized\n", one[:31], one + "0", strings.Repeat("x", 32)} {
		if _, err := readDUID(file(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}

	c := mustParse(t, "[defaults]\nclient_id = \"duid\"\niaid = 7\n[adapter.eth1]\nclient_id = \"mac\"\n")
	if err := c.identify(file(one)); err != nil {
		t.Fatal(err)
	}
	if a := c.adapter("eth0"); !bytes.Equal(a.DUID, duid) || a.IAID == nil || *a.IAID != 7 || a.ClientID != nil {
		t.Errorf("eth0: %+v", a)
	}
	if a := c.adapter("eth1"); a.DUID != nil {
		t.Errorf("eth1: %+v", a)
	}
	// A setting that cannot be carried out keeps the daemon from starting.
	c = mustParse(t, "[adapter.eth1]\nclient_id = \"duid\"\n")
	err = c.identify(filepath.Join(dir, "none"))
	if e, ok := errors.AsType[*keyError](err); !ok || e.key != "adapter.eth1.client_id" || !errors.Is(e.err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	// Where nobody asks for it, nothing is read.
	c = mustParse(t, "")
	if err := c.identify(filepath.Join(dir, "none")); err != nil {
		t.Error(err)
	}
}
