// How does a Java program sign an event and send it? Nothing but the JDK; see docs/submitting.md.
//
//     java Submit.java agency.pem <kid> payload.json https://ledger.example agency.token
//
// payload.json holds the event in canonical form, on one line. Prints the receipt, a .tlog-proof.
// The JDK has Ed25519 from version 15 on (JEP 339). On Java 11, put Bouncy Castle (bcprov) on the class path and
// begin main with: Security.addProvider(new org.bouncycastle.jce.provider.BouncyCastleProvider());

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

public final class Submit {
    private static final Base64.Encoder BASE64URL = Base64.getUrlEncoder().withoutPadding();

    public static void main(String[] args) throws Exception {
        PrivateKey key = readKey(Path.of(args[0]));
        String kid = args[1];
        byte[] payload = Files.readString(Path.of(args[2])).strip().getBytes(StandardCharsets.UTF_8);
        String token = Files.readString(Path.of(args[4])).strip();

        HttpRequest request = HttpRequest.newBuilder(URI.create(args[3] + "/v1/events"))
            .header("Authorization", "Bearer " + token)
            .header("Content-Type", "application/cloudevents+json")
            .header("Accept", "text/plain, application/problem+json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(withSignature(payload, sign(payload, kid, key))))
            .build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.print(answer.body());
        // 201: recorded now. 200: it was there already, and this is its receipt.
        System.exit(answer.statusCode() == 201 || answer.statusCode() == 200 ? 0 : 1);
    }

    /** The detached JWS: header..signature, over header.payload (RFC 7515 appendix F). */
    static String sign(byte[] payload, String kid, PrivateKey key) throws Exception {
        String header = "{\"alg\":\"EdDSA\",\"kid\":\"" + kid + "\",\"typ\":\"ledger-submission+jws\"}";
        String encodedHeader = BASE64URL.encodeToString(header.getBytes(StandardCharsets.US_ASCII));
        Signature signer = Signature.getInstance("Ed25519");
        signer.initSign(key);
        signer.update((encodedHeader + "." + BASE64URL.encodeToString(payload)).getBytes(StandardCharsets.US_ASCII));
        return encodedHeader + ".." + BASE64URL.encodeToString(signer.sign());
    }

    /** The event with one more attribute; the service puts them in order. */
    static byte[] withSignature(byte[] payload, String signature) throws Exception {
        ByteArrayOutputStream signed = new ByteArrayOutputStream();
        signed.write(("{\"signature\":\"" + signature + "\",").getBytes(StandardCharsets.US_ASCII));
        signed.write(payload, 1, payload.length - 1);
        return signed.toByteArray();
    }

    /** What `openssl genpkey -algorithm ed25519` writes: PKCS#8 in PEM. */
    static PrivateKey readKey(Path file) throws Exception {
        String text = Files.readString(file).replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        return KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
    }
}
