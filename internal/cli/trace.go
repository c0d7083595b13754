//go:build linux

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/pcapng"
)

func (a *app) trace() *cobra.Command {
	cmd := &cobra.Command{
		Use:   a.use("trace ADAPTER"),
		Short: a.speak.Text("show the DHCP exchanges of a link, live"),
		Long: a.speak.Text("Show the DHCP messages that pass the adapter, of all clients and in both\n" +
			"directions, as they pass, until interrupted. The adapter need not be managed.\n\n" +
			"With -w they are kept in a file, too, that Wireshark and tcpdump open; a FILE\n" +
			"of - is the standard output, and then nothing else is written there."),
		Args:              adapters(1, 1),
		ValidArgsFunction: a.completeAdapters(1),
	}
	var (
		arp   bool
		file  string
		count uint
		wait  patience
	)
	cmd.Flags().BoolVar(&arp, "arp", false, a.speak.Text("show the ARP packets of conflict detection, too"))
	cmd.Flags().StringVarP(&file, "write", "w", "", a.speak.Text("`FILE` to write the packets to, in the pcapng format"))
	cmd.Flags().UintVarP(&count, "count", "c", 0, a.speak.Text("end after `N` packets"))
	cmd.Flags().Var(&wait, "timeout", a.speak.Text("end after this time, such as 10s or 2m"))
	cmd.RunE = a.run(func(ctx context.Context, args []string) error {
		if wait > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, time.Duration(wait))
			defer cancel()
		}
		t, err := a.remote().Trace(ctx, args[0], arp)
		if err != nil {
			return err
		}
		defer t.Close()
		show := a.Stdout
		if file == "-" {
			show = io.Discard
		}
		keep, err := a.newKeeper(ctx, file, args[0], arp)
		if err != nil {
			return err
		}
		l := ladder{speak: a.speak, colour: a.colour}
		fmt.Fprintln(show, l.head())
		err = a.follow(ctx, t, count, func(f lessee.Frame) error {
			fmt.Fprintln(show, l.line(f, a.Now().Location()))
			if a.out.err != nil {
				return errReported
			}
			return keep.add(f)
		})
		return errors.Join(err, keep.close())
	})
	return cmd
}

// follow hands frames on until there are enough, or somebody ends it.
func (a *app) follow(ctx context.Context, t *lessee.Trace, count uint, show func(lessee.Frame) error) error {
	for n := uint(1); ; n++ {
		f, err := t.Next()
		if err != nil {
			return unlessEnded(ctx, err)
		}
		if err := show(f); err != nil {
			return err
		}
		if n == count {
			break
		}
	}
	return nil
}

// unlessEnded returns an error unless it is that the user has seen enough.
func unlessEnded(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

// A keeper writes frames to a file; the zero keeper to none.
type keeper struct {
	w    *pcapng.Writer
	file io.Closer
	name string
}

func (a *app) newKeeper(ctx context.Context, file, adapter string, arp bool) (*keeper, error) {
	if file == "" {
		return &keeper{}, nil
	}
	i := pcapng.Interface{Name: adapter, Filter: "udp port 67 or udp port 68"}
	if arp {
		i.Filter += " or arp"
	}
	if ad, err := a.remote().Adapter(ctx, adapter); err == nil {
		i.Name = ad.Name
		if mac, err := net.ParseMAC(ad.MAC); err == nil {
			i.HardwareAddr = mac
		}
	}
	k := &keeper{name: file}
	out := a.Stdout
	if file != "-" {
		f, err := os.Create(file)
		if err != nil {
			return nil, sentencef("%s", err)
		}
		k.file, out = f, f
	}
	w, err := pcapng.NewWriter(out, version(lessee.Build()), runtime.GOOS, i)
	if err != nil {
		return nil, sentencef("%s: %s", file, errors.Join(err, k.close()))
	}
	k.w = w
	return k, nil
}

func (k *keeper) add(f lessee.Frame) error {
	if k.w == nil {
		return nil
	}
	way := pcapng.Inbound
	if f.Outgoing {
		way = pcapng.Outbound
	}
	if err := k.w.Write(pcapng.Packet{Time: f.Time, Direction: way, Data: f.Data, Length: f.Length, Dropped: f.Lost}); err != nil {
		return sentencef("%s: %s", k.name, err)
	}
	return nil
}

func (k *keeper) close() error {
	var err error
	if k.w != nil {
		err = k.w.Finish()
	}
	if k.file != nil {
		err = errors.Join(err, k.file.Close())
	}
	if err != nil {
		return sentencef("%s: %s", k.name, err)
	}
	return nil
}
