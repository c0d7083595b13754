package names_test

import (
	"fmt"

	"github.com/lessee/lessee/names"
)

func ExampleParseHost() {
	h, err := names.ParseHost("web.lab.test")
	fmt.Println(h, err)
	h, err = names.ParseHost("web; reboot")
	fmt.Println(h.IsZero(), err)
	// Output:
	// web.lab.test <nil>
	// true names: not a host name: a character that is not allowed at byte 3
}
