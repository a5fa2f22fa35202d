module publisher

go 1.18
