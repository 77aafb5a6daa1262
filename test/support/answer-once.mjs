// What a firmware in plain JavaScript does at boot, run by whatever Node is to be tried: argument 1 is the SDK, 2 and 3
// are the folders of identity and vault, 4 is a PEM file with the root that must have issued what is shown, if any.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

const [sdk, identity, vault, rootPath] = process.argv.slice(2);
const { startAppliance, fixedAddresses } = await import(sdk);
// Nobody listens on port 1: the appliance is offline, and serves all the same.
const addresses = fixedAddresses([{ address: '192.168.0.20', interface: 'eth0', isDefaultRoute: true }]);
const appliance = await startAppliance({ broker: 'mqtts://127.0.0.1:1', identity, vault, addresses });
const server = await appliance.serve((_request, response) => response.end('hello'), { host: '127.0.0.1', port: 0 });
const trust = rootPath
  ? { ca: readFileSync(rootPath), servername: 'prepared.lanyard.test' }
  : { rejectUnauthorized: false };
const call = request({ host: '127.0.0.1', port: server.address().port, agent: false, ...trust }, (response) => {
  const isSelfSigned =
    response.socket.getPeerCertificate(true).issuerCertificate?.fingerprint256 ===
    response.socket.getPeerCertificate().fingerprint256;
  response.setEncoding('utf8').on('data', async (body) => {
    console.log(JSON.stringify({ node: process.versions.node, body, isSelfSigned }));
    await appliance.close();
    process.exit(0);
  });
});
call.on('error', (error) => {
  console.error(error);
  process.exit(1);
});
call.end();
