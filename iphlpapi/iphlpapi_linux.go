package iphlpapi

import (
	"context"
	"net"
	"slices"

	"github.com/lessee/lessee"
)

// adapters asks the kernel for the links that are administratively up.
func adapters() ([]adapter, error) {
	links, err := net.Interfaces()
	if err != nil {
		return nil, ERROR_GEN_FAILURE
	}
	var out []adapter
	for _, l := range links {
		if l.Flags&net.FlagUp != 0 && l.Flags&net.FlagLoopback == 0 {
			out = append(out, adapter{l.Index, l.Name})
		}
	}
	slices.SortFunc(out, func(a, b adapter) int { return a.index - b.index })
	return out, nil
}

func release(name string) error { return bare(lessee.New().Release(context.Background(), name)) }
func renew(name string) error   { return bare(lessee.New().Renew(context.Background(), name)) }

// bare reduces an error to its code, which is all that the contract has.
func bare(err error) error {
	if err == nil {
		return nil
	}
	return lessee.Code(err)
}
