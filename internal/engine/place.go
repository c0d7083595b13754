//go:build linux

package engine

import (
	"io"

	"github.com/lessee/lessee/internal/linux/netlink"
	"github.com/lessee/lessee/internal/linux/netns"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/loop"
)

// place returns the network namespace that a path leads to.
func (e *Engine) place(path, id string) (loop.Place, error) {
	at, err := netns.At(path)
	if err != nil {
		return loop.Place{}, err
	}
	return loop.Place{
		Identity: at.ID(),
		ID:       id,
		Enter: func(l poll.Loop) (loop.Space, error) {
			space, err := at.Open()
			if err != nil {
				return loop.Space{}, err
			}
			opened, err := enter(space, l)
			if err != nil {
				_ = space.Close()
			}
			return opened, err
		},
		Watch: func(gone func()) (io.Closer, error) { return e.watcher.Watch(at, gone) },
	}, nil
}

// enter opens what is needed in a namespace.
func enter(space *netns.Namespace, l poll.Loop) (loop.Space, error) {
	kernel, err := netlink.New(space, netlink.Options{})
	if err != nil {
		return loop.Space{}, err
	}
	return opened(space, kernel, l), nil
}

// opened returns a namespace that is open.
func opened(space *netns.Namespace, kernel *netlink.Kernel, l poll.Loop) loop.Space {
	transport := packet.New(space, kernel, l)
	return loop.Space{Kernel: kernel, Transport: transport, Close: func() {
		transport.Close()
		kernel.Close()
		_ = space.Close()
	}}
}
