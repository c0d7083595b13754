package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/option"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

func (a *app) show() *cobra.Command {
	cmd := &cobra.Command{
		Use:               a.use("show ADAPTER"),
		Short:             a.speak.Text("show all that is known of an adapter"),
		Long:              a.speak.Text("Show all that is known of one adapter and its lease: one fact a line."),
		Args:              adapters(1, 1),
		ValidArgsFunction: a.completeAdapters(1),
	}
	form := a.output(cmd, "text")
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
	s := a.speak
	var facts [][2]string
	add := func(key, value string) {
		if value != "" {
			facts = append(facts, [2]string{key, clean(value)})
		}
	}
	add(s.Text("name"), ad.Name)
	add(s.Text("index"), strconv.Itoa(ad.Index))
	add(s.Text("other names"), strings.Join(ad.AltNames, ", "))
	add(s.Text("hardware"), ad.MAC)
	if ad.MTU > 0 {
		add(s.Text("link mtu"), strconv.Itoa(ad.MTU))
	}
	add(s.Text("link"), s.linkText(ad))
	add(s.Text("manager"), s.manager(ad.Manager))
	v := ad.IPv4
	if v == nil {
		return facts
	}
	facts = append(facts, [2]string{s.Text("state"), a.colour.state(v.State, clean(s.state(v.State)))})
	add(s.Text("problem"), s.hindrance(v.ProblemCause, ad.Name, v.Problem))
	if v.Address.IsValid() {
		add(s.Text("address"), v.Address.String())
	}
	if v.Server.IsValid() {
		add(s.option(wire.OptionServerID), v.Server.String())
	}
	add(s.option(wire.OptionRouter), list(v.Routers))
	for _, r := range v.Routes {
		if r.Router.IsValid() {
			add(s.option(wire.OptionClasslessRoutes), s.Sprintf("%s via %s", r.Destination, r.Router))
		} else {
			add(s.option(wire.OptionClasslessRoutes), s.Sprintf("%s on the link", r.Destination))
		}
	}
	add(s.option(wire.OptionDNS), list(v.DNS))
	for code, row := range option.All() {
		if row.AddrsField != nil {
			add(s.option(wire.OptionCode(code)), list(*row.AddrsField(&v.Servers)))
		}
	}
	add(s.option(wire.OptionHostName), v.HostName.String())
	add(s.option(wire.OptionDomainName), v.Domain.String())
	add(s.option(wire.OptionDomainSearch), list(v.Search))
	if v.MTU > 0 {
		add(s.option(wire.OptionMTU), strconv.Itoa(v.MTU))
	}
	s.parameters(v.Parameters, add)
	add(s.option(wire.OptionClientID), v.ClientID)
	now := a.Now()
	if !v.Obtained.IsZero() {
		add(s.Text("obtained"), s.moment(v.Obtained, now))
	}
	if !v.Renews.IsZero() {
		add(s.Text("renews"), s.moment(v.Renews, now))
	}
	if !v.Rebinds.IsZero() {
		add(s.Text("rebinds"), s.moment(v.Rebinds, now))
	}
	switch {
	case v.Infinite:
		add(s.Text("expires"), s.Text("never"))
	case !v.Expires.IsZero():
		add(s.Text("expires"), s.moment(v.Expires, now))
	}
	for _, name := range slices.Sorted(maps.Keys(v.Counters)) {
		if n := v.Counters[name]; n > 0 {
			add(name, strconv.FormatUint(n, 10))
		}
	}
	return facts
}

func (s speaker) linkText(ad lessee.Adapter) string {
	switch {
	case !ad.Up:
		return s.Text("link|down")
	case !ad.Carrier:
		return s.Text("link|up, no carrier")
	default:
		return s.Text("link|up, carrier")
	}
}

// list joins the texts of what it is given.
func list[T fmt.Stringer](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.String()
	}
	return strings.Join(texts, ", ")
}
