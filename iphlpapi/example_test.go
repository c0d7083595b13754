package iphlpapi_test

import (
	"errors"
	"fmt"

	"github.com/lessee/lessee/iphlpapi"
)

// Release and renew the address of the first adapter.
func Example() {
	adapters, err := iphlpapi.Interfaces()
	if err != nil {
		fmt.Println("no adapter:", err)
		return
	}
	for _, call := range []func(*iphlpapi.IpAdapterIndexMap) error{iphlpapi.IpReleaseAddress, iphlpapi.IpRenewAddress} {
		switch err := call(&adapters[0]); {
		case errors.Is(err, iphlpapi.ERROR_FILE_NOT_FOUND):
			fmt.Println(adapters[0].NameString(), "is not managed by DHCP")
		case err != nil:
			fmt.Println(adapters[0].NameString()+":", err)
		}
	}
}

func ExampleGetInterfaceInfo() {
	fmt.Println(iphlpapi.GetInterfaceInfo(nil, nil))
	// Output: a parameter is not valid
}

func ExampleIpRenewAddress() {
	var adapter iphlpapi.IpAdapterIndexMap // without a name
	err := iphlpapi.IpRenewAddress(&adapter)
	fmt.Println(errors.Is(err, iphlpapi.ERROR_INVALID_PARAMETER), err)
	// Output: true a parameter is not valid
}
