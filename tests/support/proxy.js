// SPDX-License-Identifier: MIT OR Apache-2.0
// A wire that can be cut: a TCP (or TLS) proxy in front of a server.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';

export class Proxy {
  #pairs = new Set();

  /** `credentials` (key and cert) make it speak TLS towards clients. */
  static async start(target, { port = 0, credentials } = {}) {
    const proxy = new Proxy();
    const onConnection = (near) => {
      const far = net.connect(target, '127.0.0.1');
      proxy.#pairs.add(near);
      for (const [from, to] of [[near, far], [far, near]]) {
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
        from.pipe(to);
      }
      near.on('close', () => proxy.#pairs.delete(near));
    };
    proxy.listener = credentials ? tls.createServer(credentials, onConnection) : net.createServer(onConnection);
    proxy.listener.listen(port, '127.0.0.1');
    await once(proxy.listener, 'listening');
    proxy.port = proxy.listener.address().port;
    return proxy;
  }

  /** Cuts every connection that goes through; new ones may come. */
  cut() {
    for (const near of this.#pairs) near.destroy();
  }

  stop() {
    this.cut();
    return new Promise((resolve) => this.listener.close(resolve));
  }
}

/** A key and a self-signed certificate for localhost, made by openssl in that folder. */
export function selfSigned(folder) {
  const [keyFile, certFile] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name));
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-keyout', keyFile, '-out', certFile,
  ], { stdio: 'pipe' });
  return { key: fs.readFileSync(keyFile), cert: fs.readFileSync(certFile), certFile };
}
