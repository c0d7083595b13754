package messages

var frenchIpconfig = dictionary{}
