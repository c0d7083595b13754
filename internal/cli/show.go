//go:build linux

package cli

import (
	"context"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
)

func (a *app) show() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show ADAPTER",
		Short:             "show all that is known of an adapter",
		Long:              "Show all that is known of one adapter and its lease: one fact a line.",
		Args:              adapters(1, 1),
		ValidArgsFunction: a.completeAdapters(1),
	}
	form := output(cmd, "text")
	cmd.RunE = a.run(func(ctx context.Context, args []string) error {
		ad, err := a.client().Adapter(ctx, args[0])
		if err != nil {
			return err
		}
		if form.word == "json" {
			return writeJSON(a.Stdout, ad)
		}
		_, _ = io.WriteString(a.Stdout, pairs(a.facts(ad), a.colour.dim)) // the sink remembers an error
		return nil
	})
	return cmd
}

// facts lists what is known of an adapter.
func (a *app) facts(ad lessee.Adapter) [][2]string {
	var facts [][2]string
	add := func(key, value string) {
		if value != "" {
			facts = append(facts, [2]string{key, clean(value)})
		}
	}
	add("name", ad.Name)
	add("index", strconv.Itoa(ad.Index))
	add("other names", strings.Join(ad.AltNames, ", "))
	add("hardware", ad.MAC)
	if ad.MTU > 0 {
		add("link mtu", strconv.Itoa(ad.MTU))
	}
	add("link", linkText(ad))
	add("manager", ad.Manager)
	v := ad.IPv4
	if v == nil {
		return facts
	}
	facts = append(facts, [2]string{"state", a.colour.state(clean(v.State))})
	add("problem", v.Problem)
	if v.Address.IsValid() {
		add("address", v.Address.String())
	}
	if v.Server.IsValid() {
		add("server", v.Server.String())
	}
	add("routers", addrs(v.Routers))
	for _, r := range v.Routes {
		if r.Router.IsValid() {
			add("route", r.Destination.String()+" via "+r.Router.String())
		} else {
			add("route", r.Destination.String()+" on the link")
		}
	}
	add("dns", addrs(v.DNS))
	add("wins", addrs(v.WINS))
	add("domain", v.Domain)
	add("search", strings.Join(v.Search, ", "))
	if v.MTU > 0 {
		add("mtu", strconv.Itoa(v.MTU))
	}
	add("client id", v.ClientID)
	now := a.Now()
	if !v.Obtained.IsZero() {
		add("obtained", moment(v.Obtained, now))
	}
	if !v.Renews.IsZero() {
		add("renews", moment(v.Renews, now))
	}
	if !v.Rebinds.IsZero() {
		add("rebinds", moment(v.Rebinds, now))
	}
	switch {
	case v.Infinite:
		add("expires", "never")
	case !v.Expires.IsZero():
		add("expires", moment(v.Expires, now))
	}
	for _, name := range slices.Sorted(maps.Keys(v.Counters)) {
		if n := v.Counters[name]; n > 0 {
			add(name, strconv.FormatUint(n, 10))
		}
	}
	return facts
}

func linkText(ad lessee.Adapter) string {
	switch {
	case !ad.Up:
		return "down"
	case !ad.Carrier:
		return "up, no carrier"
	default:
		return "up, carrier"
	}
}

func addrs(list []netip.Addr) string {
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = a.String()
	}
	return strings.Join(texts, ", ")
}
