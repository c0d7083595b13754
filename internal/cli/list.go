package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
)

func (a *app) list() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: a.speak.Text("list adapters with their leases"),
		Long: a.speak.Text("List the network adapters but loopback: their index, name, state, who manages\n" +
			"them by DHCP, address, server, and the time left of the lease.\n\n" +
			"Without a daemon the list shows what the kernel knows."),
		Args:              adapters(0, 0),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	form := a.output(cmd, "table")
	cmd.RunE = a.run(func(ctx context.Context, _ []string) error {
		all, err := a.client().Adapters(ctx)
		if noDaemon(err) {
			a.complain(sentencef("%s; this is what the kernel knows", a.speak.brief(err)))
			all, err = kernelView()
		}
		if err != nil {
			return err
		}
		if form.word == "json" {
			if all == nil {
				all = []lessee.Adapter{}
			}
			return writeJSON(a.Stdout, all)
		}
		a.table(all)
		return nil
	})
	return cmd
}

// noDaemon reports whether an error says that no daemon listens.
func noDaemon(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// brief returns what an error says went wrong, without what to do.
func (s speaker) brief(err error) string {
	if e, ok := errors.AsType[*lessee.Error](err); ok {
		if detail, _ := s.cause(e); detail != "" {
			return detail
		}
	}
	return s.errorText(err)
}

// The columns of the list.
const (
	columnName    = 1
	columnState   = 2
	columnManager = 3
)

// table writes the list for people.
func (a *app) table(all []lessee.Adapter) {
	t := table{
		head: []string{
			a.speak.Text("INDEX"), a.speak.Text("NAME"), a.speak.Text("STATE"), a.speak.Text("MANAGER"),
			a.speak.Text("ADDRESS"), a.speak.Text("SERVER"), a.speak.Text("LEFT"),
		},
		shrink:   []int{columnManager, columnName},
		shortest: 8,
	}
	states := make(map[string]string) // by their names in the user's language
	for _, ad := range all {
		row := []string{strconv.Itoa(ad.Index), clean(ad.Name), "-", or(clean(a.speak.manager(ad.Manager))), "-", "-", "-"}
		if v := ad.IPv4; v != nil {
			row[columnState] = or(clean(a.speak.state(v.State)))
			states[row[columnState]] = v.State
			if v.Address.IsValid() {
				row[4] = v.Address.String()
			}
			if v.Server.IsValid() {
				row[5] = v.Server.String()
			}
			row[6] = a.speak.left(v, a.Now())
		}
		t.rows = append(t.rows, row)
	}
	if a.colour {
		t.paint = func(column int, cell string) string {
			switch {
			case column == columnState:
				return a.colour.state(states[strings.TrimRight(cell, " ")], cell)
			case cell == "-":
				return a.colour.dim(cell)
			}
			return cell
		}
	}
	width := 0
	if a.StdoutTerminal {
		width = a.Width
	}
	_, _ = io.WriteString(a.Stdout, t.render(width)) // the sink remembers an error
}

// or returns s, or "-" for nothing.
func or(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
