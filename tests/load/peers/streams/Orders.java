import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Keeps the newest statement of each fact of an order, exactly once, in the store that Kafka Streams has by default.
 * Our rules are not in it: nothing is validated, no deadline is reckoned, and nothing is counted.
 */
public final class Orders {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final AtomicLong DONE = new AtomicLong();
    private static final CountDownLatch ENDED = new CountDownLatch(1);
    private static volatile long began;

    public static void main(String[] arguments) throws Exception {
        Map<String, String> told = System.getenv();
        long expected = Long.parseLong(told.get("PEERS_EVENTS"));
        Topology topology = new Topology();
        topology.addSource("events", List.of(told.get("PEERS_TOPICS").split(",")).toArray(String[]::new));
        topology.addProcessor("newest", () -> new Newest(expected), "events");
        topology.addStateStore(
            Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("orders"), Serdes.ByteArray(), Serdes.ByteArray())
                .withCachingEnabled(),
            "newest");

        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "streams-" + ProcessHandle.current().pid());
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, told.get("PEERS_KAFKA"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, "state");
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        try (KafkaStreams streams = new KafkaStreams(topology, settings)) {
            streams.start();
            ENDED.await();
        }
    }

    private record Newest(long expected, State state) implements Processor<byte[], byte[], Void, Void> {
        Newest(long expected) {
            this(expected, new State());
        }

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            state.context = context;
            state.orders = context.getStateStore("orders");
        }

        @Override
        public void process(Record<byte[], byte[]> event) {
            if (began == 0) {
                began = System.nanoTime();
            }
            take(event);
            if (DONE.incrementAndGet() == expected) {
                double seconds = (System.nanoTime() - began) / 1e9;
                double processor = ProcessHandle.current().info().totalCpuDuration().orElseThrow().toMillis() / 1e3;
                System.out.printf("%d %.3f %.3f%n", expected, seconds, processor);
                ENDED.countDown();
            }
        }

        private void take(Record<byte[], byte[]> event) {
            try {
                JsonNode told = JSON.readTree(event.value());
                String topic = state.context.recordMetadata().orElseThrow().topic();
                byte[] order = (topic + "/" + told.path("subject").asText()).getBytes(StandardCharsets.UTF_8);
                byte[] held = state.orders.get(order);
                ObjectNode facts = held == null ? JSON.createObjectNode() : (ObjectNode) JSON.readTree(held);
                String fact = told.path("type").asText() + "/" + told.path("data").path("ref").asText();
                JsonNode known = facts.path(fact);
                if (known.path("time").asText().compareTo(told.path("time").asText()) < 0) {
                    facts.set(fact, told);
                    state.orders.put(order, JSON.writeValueAsBytes(facts));
                }
            } catch (java.io.IOException fault) {
                // Not an event: nothing is kept.
            }
        }
    }

    private static final class State {
        private ProcessorContext<Void, Void> context;
        private KeyValueStore<byte[], byte[]> orders;
    }
}
