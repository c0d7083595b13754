package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/reason"
)

// An operation is one that works on several adapters side by side.
type operation struct {
	name string // as in errors: "renew"
	verb string // for somebody who waits, in the user's language: "renewing"
	// do carries it out.
	do func(ctx context.Context, c service, adapter string) error
	// done says what has come of it. before and after are what was known of
	// the adapter then; known tells whether after could be found out.
	done func(before, after lessee.Adapter, known bool, now time.Time) string
}

func (s speaker) renewOperation() operation {
	return operation{
		name: "renew", verb: s.Text("renewing"),
		do: func(ctx context.Context, c service, adapter string) error { return c.Renew(ctx, adapter) },
		done: func(_, after lessee.Adapter, known bool, now time.Time) string {
			return s.obtained(s.Text("renewed"), after, known, now)
		},
	}
}

func (s speaker) upOperation() operation {
	return operation{
		name: "up", verb: s.Text("waiting for a lease"),
		do: func(ctx context.Context, c service, adapter string) error { return c.Up(ctx, adapter) },
		done: func(_, after lessee.Adapter, known bool, now time.Time) string {
			return s.obtained(s.Text("has a lease"), after, known, now)
		},
	}
}

func (s speaker) obtained(otherwise string, after lessee.Adapter, known bool, now time.Time) string {
	if v := after.IPv4; known && v != nil && v.Address.IsValid() {
		return s.leaseText(v.Address, v.Server, v.Infinite, v.Expires, now)
	}
	return otherwise
}

func (s speaker) releaseOperation() operation {
	return operation{
		name: "release", verb: s.Text("releasing"),
		do: func(ctx context.Context, c service, adapter string) error { return c.Release(ctx, adapter) },
		done: func(before, _ lessee.Adapter, _ bool, _ time.Time) string {
			if v := before.IPv4; v != nil && v.Address.IsValid() {
				return s.Sprintf("%s released", v.Address)
			}
			return s.Text("released")
		},
	}
}

func (s speaker) downOperation(keep bool) operation {
	return operation{
		name: "down", verb: s.Text("ending"),
		do: func(ctx context.Context, c service, adapter string) error { return c.Down(ctx, adapter, keep) },
		done: func(before, _ lessee.Adapter, _ bool, now time.Time) string {
			v := before.IPv4
			switch {
			case v == nil || !v.Address.IsValid():
				return s.Text("not managed any more")
			case !keep:
				return s.Sprintf("%s released, not managed any more", v.Address)
			case v.Infinite || v.Expires.IsZero():
				return s.Sprintf("not managed any more, %s stays", v.Address)
			default:
				return s.Sprintf("not managed any more, %s stays until %s", v.Address, s.Clock(v.Expires, now))
			}
		},
	}
}

// families are the flags -4 and -6.
type families struct{ four, six bool }

func (a *app) addFamilies(cmd *cobra.Command, f *families) {
	cmd.Flags().BoolVarP(&f.four, "ipv4", "4", false, a.speak.Text("IPv4 leases (the default)"))
	cmd.Flags().BoolVarP(&f.six, "ipv6", "6", false, a.speak.Text("IPv6 leases"))
}

func (a *app) renew() *cobra.Command {
	return a.leaseCommand(a.speak.renewOperation(), &cobra.Command{
		Use:   a.use("renew [ADAPTER ...]"),
		Short: a.speak.Text("renew leases, or get new ones after a release"),
		Long: a.speak.Text("Ask the server of each lease to extend it, and wait until that is done. After a\n" +
			"release, or without a lease, any server on the link may give one.\n\n" +
			"Without ADAPTER: every adapter that is managed by DHCP."),
	})
}

func (a *app) release() *cobra.Command {
	return a.leaseCommand(a.speak.releaseOperation(), &cobra.Command{
		Use:   a.use("release [ADAPTER ...]"),
		Short: a.speak.Text("give leases back, stay idle until a renew"),
		Long: a.speak.Text("Give leases back to their servers. The adapters stay without an address until\n" +
			"somebody renews.\n\n" +
			"Without ADAPTER: every adapter that is managed by DHCP."),
	})
}

func (a *app) leaseCommand(op operation, cmd *cobra.Command) *cobra.Command {
	cmd.Args = adapters(0, -1)
	cmd.ValidArgsFunction = a.completeAdapters(-1)
	var f families
	a.addFamilies(cmd, &f)
	wait := a.timeout(cmd)
	cmd.RunE = a.run(func(ctx context.Context, names []string) error {
		names = unique(names)
		if f.six && !f.four {
			return a.six(ctx, op.name, names, time.Duration(*wait))
		}
		if len(names) == 0 {
			var err error
			if names, err = a.managed(ctx, op.name); err != nil {
				return err
			}
		}
		err := a.each(ctx, op, names, time.Duration(*wait))
		if f.six {
			err = errors.Join(err, a.six(ctx, op.name, names, time.Duration(*wait)))
		}
		return err
	})
	return cmd
}

// managed lists the adapters that some program manages by DHCP.
func (a *app) managed(ctx context.Context, op string) ([]string, error) {
	all, err := a.client().Adapters(ctx)
	if err != nil {
		if e, ok := errors.AsType[*lessee.Error](err); ok {
			e.Op = op
		}
		return nil, err
	}
	var names []string
	for _, ad := range all {
		if ad.Manager != "none" && ad.Manager != "" {
			names = append(names, ad.Name)
		}
	}
	if len(names) == 0 {
		return nil, &lessee.Error{
			Op: op, Code: errno.ERROR_FILE_NOT_FOUND, Cause: reason.Cause{Reason: reason.NothingManaged},
		}
	}
	return names, nil
}

func (a *app) up() *cobra.Command {
	cmd := &cobra.Command{
		Use:   a.use("up ADAPTER ..."),
		Short: a.speak.Text("manage adapters by DHCP, wait for their leases"),
		Long: a.speak.Text("Let the daemon manage these adapters by DHCP, from now on and after a restart,\n" +
			"and wait until each has an address."),
		Args:              adapters(1, -1),
		ValidArgsFunction: a.completeAdapters(-1),
	}
	wait := a.timeout(cmd)
	cmd.RunE = a.run(func(ctx context.Context, names []string) error {
		return a.each(ctx, a.speak.upOperation(), unique(names), time.Duration(*wait))
	})
	return cmd
}

func (a *app) down() *cobra.Command {
	cmd := &cobra.Command{
		Use:   a.use("down ADAPTER ..."),
		Short: a.speak.Text("stop to manage adapters"),
		Long: a.speak.Text("Let the daemon manage these adapters no longer. Their leases are given back, or,\n" +
			"with --keep, stay in use until they run out."),
		Args:              adapters(1, -1),
		ValidArgsFunction: a.completeAdapters(-1),
	}
	var keep, release bool
	cmd.Flags().BoolVar(&release, "release", false, a.speak.Text("give the lease back (the default)"))
	cmd.Flags().BoolVar(&keep, "keep", false, a.speak.Text("keep the address until its lease runs out"))
	wait := a.timeout(cmd)
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		if keep && release {
			return usagef("--keep and --release exclude each other")
		}
		return a.run(func(ctx context.Context, names []string) error {
			return a.each(ctx, a.speak.downOperation(keep), unique(names), time.Duration(*wait))
		})(cmd, names)
	}
	return cmd
}

// each carries an operation out on all adapters at once, and gives each its
// line, in the order of the names.
func (a *app) each(ctx context.Context, op operation, names []string, wait time.Duration) error {
	c := a.client()
	show := a.newProgress(ctx, op.verb, names)
	defer show.end()
	type outcome struct {
		text string
		err  error
	}
	outcomes := make([]chan outcome, len(names))
	for i, name := range names {
		outcomes[i] = make(chan outcome, 1)
		go func() {
			text, err := a.one(ctx, c, op, name, wait)
			show.finished(name)
			outcomes[i] <- outcome{text, err}
		}()
	}
	failed := false
	for i, name := range names {
		o := <-outcomes[i]
		show.wipe(func() {
			if o.err != nil {
				failed = true
				a.complain(o.err)
				return
			}
			fmt.Fprintf(a.Stdout, "%s: %s\n", a.colour.bold(clean(name)), clean(o.text))
		})
	}
	if failed {
		return errReported
	}
	return nil
}

// afterwards is how long to look for what has come of an operation.
const afterwards = 2 * time.Second

// one carries an operation out on one adapter.
func (a *app) one(ctx context.Context, c service, op operation, name string, wait time.Duration) (string, error) {
	var before lessee.Adapter
	if op.name == "release" || op.name == "down" {
		// What is given back cannot be told afterwards. An error here comes
		// back from the operation itself.
		short, cancel := context.WithTimeout(ctx, afterwards)
		before, _ = c.Adapter(short, name)
		cancel()
	}
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	began := a.Now()
	if a.asked != nil {
		a.asked(began)
	}
	if err := op.do(limited, c, name); err != nil {
		return "", err
	}
	span := a.Now().Sub(began)
	look, stop := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer stop()
	after, err := c.Adapter(look, name)
	text := op.done(before, after, err == nil, a.Now())
	return strings.TrimSpace(text) + " (" + a.speak.took(span) + ")", nil
}
