// Package hostile says what a hostile server might say: strings for the tests of
// what stands between the network and files, terminals and scripts.
package hostile

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// Mark is in all that the hostile server says.
const Mark = "PWNED"

// Texts are what it says, by what they aim at.
var Texts = map[string]string{
	"shellshock":        "() { :; }; /bin/echo " + Mark,
	"shellshock again":  "() { _; } >_[$($())] { echo " + Mark + "; }",
	"substitution":      "$(" + Mark + ")",
	"backquotes":        "`" + Mark + "`",
	"end of a quote":    "\"; " + Mark + "; '",
	"separator":         "a;" + Mark + "|b&c",
	"resolv.conf":       "lab.test\nnameserver 6.6.6.6\n#" + Mark,
	"carriage return":   Mark + "\rnameserver 6.6.6.6",
	"log line":          Mark + "\ntime=2026-01-01T00:00:00.000Z level=ERROR msg=" + Mark,
	"JSON":              "\",\"" + Mark + "\":\"",
	"terminal":          "\x1b[2J\x1b]0;" + Mark + "\x07",
	"C1 terminal":       "\x9b2J" + Mark,
	"NUL":               Mark + "\x00.test",
	"overlong UTF-8":    "\xc0\xae\xc0\xae\xc0\xaf" + Mark,
	"bidirectional":     "\xe2\x80\xae" + Mark,
	"path":              "../../../etc/" + Mark,
	"absolute path":     "/etc/" + Mark,
	"script":            "javascript:" + Mark + "()",
	"format":            "%s%n%1000000d " + Mark,
	"long label":        Mark + strings.Repeat("a", 250),
	"longer than a URL": "http://a/" + strings.Repeat(Mark, 450),
}

// Say puts a string wherever an answer has room for one.
func Say(text string) func(*wire.Builder) {
	// With a label of more than 63 bytes no name is well formed.
	label := text[:min(len(text), 248)]
	name := append(append([]byte{byte(len(label))}, label...), 0)
	return func(b *wire.Builder) {
		b.SetServerName(text)
		b.SetFile(text)
		for _, code := range []wire.OptionCode{
			wire.OptionHostName, wire.OptionDomainName, wire.OptionRootPath, 18, wire.OptionNISDomain, wire.OptionVendorSpecific,
			wire.OptionMessage, wire.OptionVendorClass, 64, wire.OptionTFTPServer, wire.OptionBootFile, 86, 87,
			wire.OptionPOSIXTimezone, wire.OptionTZDatabase, wire.OptionCaptivePortal, 224, wire.OptionWPAD,
		} {
			b.AddText(code, text)
		}
		b.AddOption(wire.OptionDomainSearch, name)
		b.AddOption(wire.OptionSIPServers, append([]byte{0}, name...))
		b.AddOption(wire.OptionClientFQDN, append([]byte{wire.FQDNEncoded, 255, 255}, name...))
		b.AddOption(wire.OptionVIVendorOptions, append([]byte{0, 0, 0, 9, byte(len(label) + 2), 1, byte(len(label))}, label...))
		b.AddOption(wire.OptionDNR, append([]byte{0, byte(len(name) + 3), 0, 1, byte(len(name))}, name...))
	}
}

// Lease returns what a client holds after an exchange with a server that says text.
func Lease(text string) (*dhcp4.Lease, error) {
	mac := []byte{2, 0, 0, 0, 0, 2}
	c, err := dhcp4.New(dhcp4.Config{HardwareType: 1, HardwareAddr: mac, Seed: 1})
	if err != nil {
		return nil, err
	}
	now := boottime.Instant(1)
	c.Handle(now, dhcp4.Start{})
	c.Handle(now, dhcp4.LinkUp{})
	for {
		out, ok := c.Poll()
		if !ok {
			break
		}
		t, ok := out.(dhcp4.Transmit)
		if !ok {
			continue
		}
		p, err := wire.Parse(t.Message)
		if err != nil {
			return nil, err
		}
		kind := wire.Offer
		if t.Type == wire.Request {
			kind = wire.ACK
		}
		server := netip.AddrFrom4([4]byte{10, 77, 0, 1})
		b := wire.NewBuilder(wire.OpReply, 1, mac, p.XID())
		b.AddMessageType(kind)
		b.SetYourAddr(netip.AddrFrom4([4]byte{10, 77, 0, 9}))
		b.AddAddr(wire.OptionServerID, server)
		b.AddAddr(wire.OptionDNS, server)
		b.AddUint32(wire.OptionLeaseTime, 3600)
		Say(text)(b)
		c.Handle(now, dhcp4.Datagram{Message: b.Bytes(), From: server})
	}
	l, ok := c.Lease()
	if !ok {
		return nil, errors.New("hostile: the client took no lease")
	}
	return l, nil
}

// Clean returns an error if b is not printable ASCII and line feeds.
func Clean(b []byte) error {
	for i, c := range b {
		if (c < ' ' || c > '~') && c != '\n' {
			return fmt.Errorf("byte %#x at %d of %q", c, i, b)
		}
	}
	return nil
}

// Unread returns an error if anything that the server said can be read in b, or
// if b is not clean.
func Unread(b []byte) error {
	if err := Clean(b); err != nil {
		return err
	}
	if i := bytes.Index(b, []byte(Mark)); i >= 0 {
		return fmt.Errorf("it says %s at %d: %q", Mark, i, b)
	}
	return nil
}
