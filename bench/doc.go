// Command bench measures lessee beside other DHCP clients of this machine, in
// one run, on one cable, with a server that answers at once, and prints one
// table. Every instant is taken by one observer: the kernel's time stamps of
// packets on the client's interface and its notifications of addresses and
// links.
//
//	go run ./bench [-n 10] [-markdown] [-leases 100] [-frames 1000000] [-routes 100000] [-only lessee,udhcpc]
//	go run ./bench -linkup|-idle|-syscalls [-n 10]: only a part
package main
