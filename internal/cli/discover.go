//go:build linux

package cli

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/reason"
)

func (a *app) discover() *cobra.Command {
	cmd := &cobra.Command{
		Use:   a.use("discover ADAPTER"),
		Short: a.speak.Text("ask every DHCP server on the link for an offer"),
		Long: a.speak.Text("Ask every DHCP server on the adapter's link for an offer, show what they offer\n" +
			"and what is suspicious about it, and take none. The adapter need not be managed,\n" +
			"and a lease that it has stays as it is.\n\n" +
			"The exit status is 1 if no server answered."),
		Args:              adapters(1, 1),
		ValidArgsFunction: a.completeAdapters(1),
	}
	form := a.output(cmd, "table")
	wait := patience(lessee.DefaultDiscovery)
	cmd.Flags().Var(&wait, "timeout", a.speak.Text("how long to collect offers, 1s to 1h"))
	cmd.RunE = a.run(func(ctx context.Context, args []string) error {
		show := a.newProgress(ctx, a.speak.Text("collecting offers"), args)
		d, err := a.remote().Discover(ctx, args[0], time.Duration(wait))
		show.end()
		switch {
		case err != nil:
			return err
		case form.word == "json":
			_ = writeJSON(a.Stdout, d) // the sink remembers an error
		case len(d.Offers) > 0:
			a.offers(d)
		}
		if len(d.Offers) > 0 {
			return nil
		}
		return &lessee.Error{Op: "discover", Adapter: d.Adapter, Code: errno.ERROR_SEM_TIMEOUT, Cause: reason.Cause{
			Reason: reason.NoOffers, Timeout: d.During,
		}}
	})
	return cmd
}

// offers writes what was offered for people: a table, and below it a line for
// each thing that is suspicious.
func (a *app) offers(d lessee.Discovery) {
	s := a.speak
	t := table{
		head: []string{
			s.Text("SERVER"), s.Text("ADDRESS"), s.Text("LEASE"), s.Text("ROUTER"), s.Text("DNS"), s.Text("AFTER"), s.Text("HARDWARE"),
		},
		shrink:   []int{4, 3},
		shortest: 7,
	}
	servers := []string{}
	for _, o := range d.Offers {
		lease := "-"
		switch {
		case o.Infinite:
			lease = s.Text("forever")
		case o.Lease > 0:
			lease = s.Span(time.Duration(o.Lease))
		}
		t.rows = append(t.rows, []string{
			addr(o.Server), prefixText(o.Address), lease, or(first(o.Routers)), or(first(o.DNS)), s.took(time.Duration(o.After)), or(clean(o.MAC)),
		})
		if o.Server.IsValid() {
			servers = append(servers, o.Server.String())
		}
	}
	width := 0
	if a.StdoutTerminal {
		width = a.Width
	}
	_, _ = io.WriteString(a.Stdout, t.render(width)) // the sink remembers an error
	line := func(text string) { fmt.Fprintln(a.Stdout, a.colour.yellow(clean(text))) }
	for _, f := range d.Flags {
		line(s.discoveryFlag(f, strings.Join(unique(servers), ", ")))
	}
	for _, o := range d.Offers {
		for _, f := range o.Flags {
			line(s.offerFlag(f, o))
		}
	}
}

func addr(a netip.Addr) string {
	if !a.IsValid() {
		return "-"
	}
	return a.String()
}

func prefixText(p netip.Prefix) string {
	if !p.IsValid() {
		return "-"
	}
	return p.String()
}

// first writes the first address of a list, and that there are more.
func first(list []netip.Addr) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0].String()
	}
	return list[0].String() + ", …"
}

// discoveryFlag says what is suspicious about all offers together.
func (s speaker) discoveryFlag(flag, servers string) string {
	switch flag {
	case "several-servers":
		return s.Sprintf("more than one server makes offers: %s", servers)
	case "different-subnets":
		return s.Text("the addresses offered are of different subnets")
	case "duplicate-server":
		return s.Text("one server's address comes from several hardware addresses")
	}
	return flag
}

// offerFlag says what is suspicious about an offer.
func (s speaker) offerFlag(flag string, o lessee.Offer) string {
	who := addr(o.Server)
	if !o.Server.IsValid() {
		who = o.MAC
	}
	switch flag {
	case "relay":
		return s.Sprintf("%s: the offer came through the relay agent %s", who, o.Relay)
	case "private-relay":
		return s.Sprintf("%s: the relay agent %s has a private address, and offers a public one", who, o.Relay)
	case "foreign-relay":
		return s.Sprintf("%s: the relay agent %s is not in the subnet of %s", who, o.Relay, o.Address)
	case "server-mismatch":
		return s.Sprintf("%s: the packet came from %s, and through no relay agent", who, o.From)
	case "foreign-server":
		return s.Sprintf("%s: the server is not in the subnet of %s", who, o.Address)
	case "foreign-router":
		return s.Sprintf("%s: the router %s is not in the subnet of %s", who, first(o.Routers), o.Address)
	case "other-server":
		return s.Sprintf("%s: another server gave the present lease", who)
	case "unusable":
		return s.Sprintf("%s: the offer cannot be used: %s", who, o.Refused)
	}
	return who + ": " + flag
}
