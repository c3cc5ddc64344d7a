module ring/consul

go 1.20

require github.com/hashicorp/consul v1.14.11

// Named by a dependency under a host that is gone.
replace launchpad.net/gocheck => github.com/go-check/check v0.0.0-20140225173054-eb6ee6f84d0a
