// Command lessee lists, obtains, renews and releases DHCP leases, and is the
// daemon that looks after them.
package main

import (
	"os"

	"github.com/lessee/lessee/internal/cli"
)

func main() { os.Exit(cli.Main()) }
