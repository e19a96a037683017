import java.net.http.HttpClient;
import java.time.OffsetDateTime;
import java.util.Map;
import payback.ApiClient;
import payback.ApiException;
import payback.api.IntakeApi;
import payback.model.Answer;
import payback.model.Event;

/** Says that an order was received, with the client that openapi-generator makes: address, token, id and day are its arguments. */
public class Send {
  public static void main(String[] given) throws Exception {
    ApiClient client = new ApiClient();
    client.setHttpClientBuilder(HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)); // needed without TLS
    client.updateBaseUri(given[0]);
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + given[1]));
    Event event = new Event()
        .specversion(Event.SpecversionEnum._1_0)
        .id(given[2])
        .source("/authorities/S12000005/systems/java")
        .type("scot.payback.order.received.v1")
        .subject("CPO/17")
        .time(OffsetDateTime.parse("2026-03-04T09:30:00Z"))
        .data(Map.of("received_on", given[3]));
    try {
      Answer answer = new IntakeApi(client).postEvents(event);
      System.out.println(answer.getAccepted() + " accepted, " + answer.getReceipts().get(0).getTopic());
    } catch (ApiException refused) {
      System.out.println(refused.getCode() + " " + refused.getResponseBody());
    }
  }
}
