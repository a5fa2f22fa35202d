// Loaded into any Node through NODE_OPTIONS: looks the name of TEST_HOST up as 127.0.0.1.
const dns = require("node:dns");

const { lookup } = dns;
dns.lookup = (host, ...rest) =>
  lookup(host === process.env.TEST_HOST ? "127.0.0.1" : host, ...rest);
