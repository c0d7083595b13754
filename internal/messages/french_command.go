package messages

var frenchCommand = dictionary{}
