/** Who the appliance is towards the broker: a key made on it, and a certificate from the vendor's private CA. */

export interface Identity {
  /** `[a-z0-9-]{8,64}`: MQTT client id, user name and the certificate's common name, all equal. */
  readonly deviceId: string;
  /** PEM of the identity certificate, perhaps with intermediates. */
  readonly certificatePem: string;
  /** PEM of its private key (PKCS#8). Never logged, never sent. */
  readonly keyPem: string;
  /** PEM of the private root that the broker's server certificate must come from. */
  readonly brokerRootPem: string;
}
