package recording

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A call is what a core asks of its ports: a method's name and its arguments. Its
// String is what a transcript says of it.
type call interface {
	fmt.Stringer
	call()
}

// An answer is what a port returned, the zero answer nothing. No Applied and no
// Inspected: they come later.
type answer struct {
	Err       error
	Applied   *tenancy.Applied
	Inspected *tenancy.Inspected
	Config    *v4.Config
}

// A who is the adapter that a port is asked for: what tells it from others.
type who struct {
	NS    core.NS
	Index int
	Name  string
	Of    core.Number
	Turn  core.Turn
}

func whoOf(a core.Adapter) who {
	return who{NS: a.NS, Index: a.Index, Name: a.Name, Of: a.Of, Turn: a.Turn}
}

func (w who) String() string {
	text := w.Name
	if text == "" {
		text = fmt.Sprintf("link %d", w.Index)
	}
	if w.Of != 0 {
		text += fmt.Sprintf("#%d.%d", w.Of, w.Turn)
	}
	if w.NS != core.Home {
		text += fmt.Sprintf("@%d", w.NS)
	}
	return text
}

// The calls are named like the methods of the ports of package core.
type (
	prepare struct {
		Who who
		How core.Prepare
	}
	leave struct{ Who who }
	apply struct {
		Who  who
		What tenancy.Apply
	}
	inspect struct {
		Who  who
		What tenancy.Inspect
	}
	solicit struct {
		Who  who
		Host netip.Addr
	}
	desist    struct{ Who who }
	open      struct{ Who who }
	closeLink struct {
		NS    core.NS
		Index int
		Name  string
	}
	send struct {
		Who  who
		What dhcp4.Transmit
	}
	post struct {
		Who  who
		What dhcp4.Transmit
	}
	sendARP struct {
		Who        who
		Packet, To []byte
	}
	listenARP struct {
		Who       who
		Addresses []netip.Addr
	}
	listenForceRenew struct {
		Who     who
		Address netip.Addr
	}
	resolve struct {
		Who  who
		Seq  uint64
		What netconf.DNS
	}
	save struct {
		Who    who
		Record v4.Record
	}
	forget struct {
		Who  who
		Name string
	}
	// say has what tells of the lease which address and which server it is about.
	say struct {
		Who                             who
		Kind, State, Message, Why, Text string
		Lease                           netip.Prefix
		Server, Address                 netip.Addr
		Link                            []byte
		XID                             uint32
		Cause                           reason.Cause
		From, Verb                      string
	}
	unmanageable struct {
		Who who
		Why core.Refusal
	}
	dropped struct{ Who who }
	gone    struct{ ID core.ID }
	reply   struct {
		Call   uint64
		Result tenancy.Result
		Err    error
	}
	discovered struct {
		Call   uint64
		Offers []offer
		Lease  netip.Prefix
	}
	// configure is Config.Tenancy.
	configure struct {
		NS   core.NS
		Link netconf.Link
	}
)

// An offer is what a server offered in a discovery.
type offer struct {
	Address netip.Prefix
	Server  netip.Addr
	Refusal string
}

func (prepare) call()          {}
func (leave) call()            {}
func (apply) call()            {}
func (inspect) call()          {}
func (solicit) call()          {}
func (desist) call()           {}
func (open) call()             {}
func (closeLink) call()        {}
func (send) call()             {}
func (post) call()             {}
func (sendARP) call()          {}
func (listenARP) call()        {}
func (listenForceRenew) call() {}
func (resolve) call()          {}
func (save) call()             {}
func (forget) call()           {}
func (say) call()              {}
func (unmanageable) call()     {}
func (dropped) call()          {}
func (gone) call()             {}
func (reply) call()            {}
func (discovered) call()       {}
func (configure) call()        {}

func (c prepare) String() string {
	return fmt.Sprintf("%v prepare, set up: %v, record of %s", c.Who, c.How.SetUp == core.SetUpIfDown, c.How.Record)
}
func (c leave) String() string { return c.Who.String() + " leave" }

func (c apply) String() string { return c.Who.String() + " apply " + desired(c.What.Want) }

func (c inspect) String() string { return c.Who.String() + " inspect " + desired(c.What.Want) }

// desired names what the kernel is to hold.
func desired(d netconf.Desired) string {
	var list []string
	for _, a := range d.Addresses {
		list = append(list, a.Prefix.String())
	}
	for _, r := range d.Routes {
		list = append(list, "route "+r.String())
	}
	for _, o := range d.Leave {
		list = append(list, "without "+o.String())
	}
	if d.MTU != 0 {
		list = append(list, fmt.Sprintf("mtu %d", d.MTU))
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

func (c solicit) String() string { return fmt.Sprintf("%v solicit %v", c.Who, c.Host) }
func (c desist) String() string  { return c.Who.String() + " desist" }
func (c open) String() string    { return c.Who.String() + " open" }
func (c closeLink) String() string {
	return who{NS: c.NS, Index: c.Index, Name: c.Name}.String() + " close"
}

func (c send) String() string { return c.Who.String() + " send " + transmit(c.What) }
func (c post) String() string { return c.Who.String() + " post " + transmit(c.What) }

func transmit(t dhcp4.Transmit) string {
	text := fmt.Sprintf("%v to %v", t.Type, t.Destination)
	if p, err := wire.Parse(t.Message); err == nil {
		text += ", " + message(p)
	}
	return text
}

// message says what a DHCP message is about.
func message(p wire.Packet) string {
	text := fmt.Sprintf("xid %08x", p.XID())
	for _, a := range [...]struct {
		name    string
		address netip.Addr
	}{{"ciaddr", p.ClientAddr()}, {"yiaddr", p.YourAddr()}} {
		if !a.address.IsUnspecified() {
			text += ", " + a.name + " " + a.address.String()
		}
	}
	if a, ok := p.Addr(wire.OptionRequestedAddress); ok {
		text += ", for " + a.String()
	}
	if a, ok := p.Addr(wire.OptionServerID); ok {
		text += ", server " + a.String()
	}
	return text
}

func (c sendARP) String() string {
	text := c.Who.String() + " send ARP, " + arpText(c.Packet)
	if c.To != nil {
		text += ", to " + mac(c.To)
	}
	return text
}

func (c listenARP) String() string { return fmt.Sprintf("%v listen to ARP of %v", c.Who, c.Addresses) }

func (c listenForceRenew) String() string {
	if !c.Address.IsValid() {
		return c.Who.String() + " listen to no FORCERENEW"
	}
	return fmt.Sprintf("%v listen to FORCERENEW at %v", c.Who, c.Address)
}

func (c resolve) String() string {
	return strings.TrimSpace(fmt.Sprintf("%v resolve by %v %v", c.Who, c.What.Servers, c.What.Domain))
}
func (c save) String() string   { return c.Who.String() + " save, " + onRecord(c.Record) }
func (c forget) String() string { return fmt.Sprintf("%v forget %s", c.Who, c.Name) }

// onRecord says what a record has.
func onRecord(r v4.Record) string {
	text := "no lease"
	if l := r.Lease; l != nil {
		text = fmt.Sprintf("lease of %v from %v", l.Address, l.Server)
	}
	switch r.Release {
	case v4.NotReleased:
	case v4.Releasing:
		text += ", being released"
	default:
		text += ", released"
	}
	if r.Up {
		text += ", up"
	}
	if len(r.Networks) > 0 {
		text += fmt.Sprintf(", %d networks", len(r.Networks))
	}
	return text
}

func sayOf(a core.Adapter, s core.Said) say {
	c := say{
		Who: whoOf(a), Kind: s.Kind.String(), State: s.State.String(), Text: s.Text, Server: s.Server, Address: s.Address,
		Link: s.Link, XID: s.XID, Cause: s.Cause, From: s.From,
	}
	if s.Message != 0 {
		c.Message = s.Message.String()
	}
	if s.Why != 0 {
		c.Why = s.Why.String()
	}
	if s.Lease != nil {
		c.Lease = s.Lease.Address
	}
	if s.Kind == event.Unmanaged {
		c.Verb = s.Verb.String()
	}
	return c
}

// minor reports whether other lines of the transcript show the same.
func (c say) minor() bool { return c.Kind == event.Sent.String() || c.Kind == event.Received.String() }

func (c say) String() string {
	words := []string{c.Who.String(), "say", c.Kind}
	add := func(word, text string) {
		if text != "" {
			words = append(words, strings.TrimSpace(word+" "+text))
		}
	}
	if c.Kind == event.State.String() || c.Kind == event.IPv6Only.String() {
		add("", c.State)
	} else if c.Lease.IsValid() {
		add("", c.Lease.String())
	}
	add("", c.Message)
	add("", c.Why)
	if c.Address.IsValid() {
		add("of", c.Address.String())
	}
	if c.Server.IsValid() {
		add("server", c.Server.String())
	}
	add("at", mac(c.Link))
	add("was", c.From)
	add("by", c.Verb)
	if c.Text != "" {
		add("", fmt.Sprintf("%q", c.Text))
	}
	add("", c.Cause.String())
	return strings.Join(words, " ")
}

func (c unmanageable) String() string { return c.Who.String() + " unmanageable: " + refusal(c.Why) }
func (c dropped) String() string      { return c.Who.String() + " dropped" }
func (c gone) String() string         { return who{NS: c.ID.NS, Index: c.ID.Index}.String() + " gone" }

// refusal says why something was refused.
func refusal(why core.Refusal) string {
	return strings.TrimSpace(why.Code.Name() + " " + why.Cause.String())
}

func (c reply) String() string {
	text := fmt.Sprintf("answer call %d: %s", c.Call, refusal(core.Refusal{Code: c.Result.Code, Cause: c.Result.Cause}))
	if c.Err != nil {
		text += " (" + c.Err.Error() + ")"
	}
	return text
}

func (c discovered) String() string {
	text := fmt.Sprintf("answer call %d: %d offers", c.Call, len(c.Offers))
	for _, o := range c.Offers {
		text += fmt.Sprintf(", %v of %v", o.Address, o.Server)
	}
	return text
}
func (c configure) String() string { return c.Link.Name + " configure" }
