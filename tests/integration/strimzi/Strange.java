import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.strimzi.api.kafka.model.kafka.Kafka;
import io.strimzi.api.kafka.model.nodepool.KafkaNodePool;
import io.strimzi.api.kafka.model.topic.KafkaTopic;
import io.strimzi.api.kafka.model.user.KafkaUser;
import java.lang.reflect.Method;
import java.util.Collection;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeSet;

/** Prints, a line each, what of the resources on standard input Strimzi's own classes do not know. */
class Strange {
    static final Map<String, Class<?>> KINDS =
            Map.of("Kafka", Kafka.class, "KafkaNodePool", KafkaNodePool.class, "KafkaTopic", KafkaTopic.class, "KafkaUser", KafkaUser.class);

    static final TreeSet<String> FOUND = new TreeSet<>();

    public static void main(String[] arguments) throws Exception {
        ObjectMapper mapper = new ObjectMapper(new YAMLFactory()).registerModule(new JavaTimeModule());
        mapper.enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        try (MappingIterator<JsonNode> all = mapper.readerFor(JsonNode.class).readValues(System.in)) {
            while (all.hasNext()) {
                JsonNode given = all.next();
                Object read = mapper.treeToValue(given, KINDS.get(given.get("kind").asText()));
                String where = given.get("kind").asText() + "/" + given.at("/metadata/name").asText();
                unknown(where, read);
                lost(where, given, mapper.valueToTree(read)); // a value that it does not know becomes null
            }
        }
        FOUND.forEach(System.out::println);
    }

    /** Its classes keep what they do not know, beside what they do. */
    static void unknown(String where, Object value) throws Exception {
        if (value instanceof Map<?, ?> map) {
            for (Map.Entry<?, ?> each : map.entrySet()) unknown(where + "." + each.getKey(), each.getValue());
        } else if (value instanceof Collection<?> list) {
            for (Object each : list) unknown(where + "[]", each);
        } else if (value != null && (value.getClass().getName().startsWith("io.strimzi.") || value.getClass().getName().startsWith("io.fabric8."))
                && !value.getClass().isEnum()) {
            for (Method getter : value.getClass().getMethods()) {
                if (getter.getParameterCount() > 0 || !getter.getName().matches("get[A-Z].*") || getter.getDeclaringClass() == Object.class
                        || getter.getName().equals("getMetadata")) continue;
                Object found = getter.invoke(value);
                if (getter.getName().equals("getAdditionalProperties")) {
                    if (found != null) for (Object name : ((Map<?, ?>) found).keySet()) FOUND.add(where + "." + name);
                } else {
                    unknown(where + "." + getter.getName().substring(3), found);
                }
            }
        }
    }

    static void lost(String where, JsonNode given, JsonNode kept) {
        if (kept == null || kept.isNull() && !given.isNull()) {
            FOUND.add(where);
        } else if (given.isObject()) {
            for (Iterator<String> names = given.fieldNames(); names.hasNext(); ) {
                String name = names.next();
                if (!name.equals("apiVersion")) lost(where + "." + name, given.get(name), kept.get(name)); // it writes its oldest
            }
        } else if (given.isArray()) {
            for (int index = 0; index < given.size(); index++) lost(where + "[" + index + "]", given.get(index), kept.get(index));
        } else if (!given.asText().equals(kept.asText())) {
            FOUND.add(where + ": " + kept.asText());
        }
    }
}
