//go:build linux

package lessee_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/reason"
)

// Renew an adapter's lease and show what it has then.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c := lessee.New()
	if err := c.Renew(ctx, "eth0"); err != nil {
		fmt.Println(err)
		return
	}
	a, err := c.Adapter(ctx, "eth0")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.IPv4.Address, "until", a.IPv4.Expires)
}

// An error says what failed and what to do; its code is for programs.
func ExampleClient_Renew() {
	c := lessee.New(lessee.WithSocket("/run/nowhere.sock"))
	err := c.Renew(context.Background(), "eth0")
	fmt.Println(err)
	fmt.Println(errors.Is(err, errno.ERROR_PROC_NOT_FOUND))
	// Output:
	// eth0: renew: the lessee daemon is not running: there is no socket /run/nowhere.sock (ERROR_PROC_NOT_FOUND 127); start it with 'lessee daemon eth0', or name its socket with --socket or LESSEE_SOCKET
	// true
}

// Follow what happens to all adapters.
func ExampleClient_Events() {
	for ev, err := range lessee.New().Events(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(ev.Adapter, ev.Kind, ev.Address)
	}
}

// Watch first, then act: nothing of what follows is missed.
func ExampleClient_Watch() {
	ctx := context.Background()
	c := lessee.New()
	stream, err := c.Watch(ctx, "eth0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stream.Close()
	if err := c.Renew(ctx, "eth0"); err != nil {
		fmt.Println(err)
		return
	}
	for ev, err := range stream.All() {
		if err != nil || ev.Kind == lessee.EventRenewed {
			fmt.Println(ev.Expires, err)
			return
		}
	}
}

func ExampleError() {
	err := &lessee.Error{
		Op: "renew", Adapter: "eth0", Code: errno.ERROR_SEM_TIMEOUT,
		Cause: reason.Cause{Reason: reason.NoServer, Timeout: lessee.Duration(20 * time.Second), Infinite: true},
	}
	fmt.Println(err)
	// Output:
	// eth0: renew: no DHCP server answered in 20s (ERROR_SEM_TIMEOUT 121); the lease stays valid
}

func ExampleCode() {
	fmt.Println(lessee.Code(nil).Name())
	fmt.Println(lessee.Code(fmt.Errorf("eth0: %w", errno.ERROR_NO_NETWORK)).Name())
	// Output:
	// NO_ERROR
	// ERROR_NO_NETWORK
}
