// An engine that behaves as the name of its case says. Its own name is the end of its file name, so that tests make
// more engines by linking to it.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

std::string name_of_this_engine(const std::string& path) {
    return path.substr(path.rfind("quiesce-engine-") + 15);
}

void print(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
}

void scenario(const std::string& name) {
    print(R"({"type":"scenario","name":")" + name + R"(","property":"It )" + name +
          R"(.","contract":"C1","threads":2,"sizes":["1","2"]})");
}

void defect(const std::string& of, const std::string& name, const std::string& id) {
    print(R"({"type":"defect","name":")" + of + "__" + name + R"(","id":")" + id + R"(","scenario":")" + of +
          R"(","expect":["data_race"],"source":"nobody, nothing, 2000","fault":"It is )" + name + R"(."})");
}

void plan(const std::string& name, const std::string& search, const std::string& size, const std::string& expect,
          const std::string& more = "") {
    print(R"({"type":"plan","case":")" + name + R"(","search":")" + search + R"(","size":")" + size +
          R"(","iterations":1000,"seed":0,"bound":3,"expect":[")" + expect + R"("])" + more + "}");
}

[[noreturn]] void crash() {
    // Sanitizers catch the signal otherwise; and nobody wants the core file.
    std::signal(SIGSEGV, SIG_DFL);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    std::raise(SIGSEGV);
    std::abort();
}

int describe(const std::string& engine) {
    if (engine == "broken") {
        std::fputs("broken from the start\n", stderr);
        crash();
    }
    print(R"({"type":"engine","protocol":)" + std::string(engine == "newer" ? "2" : "1") + R"(,"name":")" + engine +
          R"(","version":"7.1","searches":["random","bound","full")" +
          (engine == "sequential" ? R"(,"exhaustive_sc"],)" : "],") +
          (engine == "narrow" ? R"("scope":"half of it",)" : "") + R"("unknown_key":1})");
    for (const char* name :
         {"exhausts", "bounds", "violates", "crashes", "crashes_after_its_result", "hangs", "prints_garbage",
          "exits_quietly", "dies_mid_line", "unreached", "disputed", "echoes", "answers_for_another", "slow"}) {
        scenario(name);
    }
    defect("exhausts", "caught", "D1");
    // One engine finds all that it should.
    const bool misses = engine != "sequential";
    if (misses) {
        defect("exhausts", "missed", "D2");
    }
    scenario("weakened");
    defect("weakened", "only_in_weak_memory", "");
    defect("weakened", "everywhere", "");
    defect("weakened", "after_long", "D0");
    scenario("sized");
    defect("sized", "unplanned", "");
    plan("exhausts", "full", "1", "exhausted");
    plan("exhausts__caught", "full", "1", "data_race");
    if (misses) {
        plan("exhausts__missed", "full", "1", "data_race");
    }
    plan("bounds", "bound", "1", "bounded");
    for (const char* name : {"violates", "crashes", "crashes_after_its_result", "prints_garbage", "exits_quietly",
                             "dies_mid_line", "disputed", "echoes", "answers_for_another", "slow", "hangs"}) {
        plan(name, "full", "1", "exhausted");
    }
    plan("weakened", "full", "1", "exhausted");
    plan("weakened__only_in_weak_memory", "full", "1", "data_race");
    plan("weakened__only_in_weak_memory", "full", "2", "data_race");
    plan("weakened__everywhere", "full", "1", "data_race");
    plan("unreached", "full", "1", "unreached");
    plan("sized", "random", "1", "bounded");
    plan("sized", "full", "1", "bounded");
    plan("sized", "full", "2", "bounded");
    const std::string deep = R"(,"label":"deep","seconds":60)";
    scenario("shallow_and_deep");
    plan("shallow_and_deep", "full", "1", "exhausted");
    plan("shallow_and_deep", "full", "2", "exhausted", deep);
    plan("weakened__after_long", "full", "1", "data_race", deep);
    scenario("deep_echoes");
    plan("deep_echoes", "full", "1", "timed_out", deep);
    return 0;
}

struct request {
    std::map<std::string, std::string> options;
    std::string all;

    std::string result(const std::string& verdict, const std::string& finding, const std::string& message,
                       const std::string& case_name = "") {
        return R"({"type":"result","case":")" + (case_name.empty() ? options["--run"] : case_name) +
               R"(","scenario":"","defect":"","search":")" + options["--search"] + R"(","size":")" + options["--size"] +
               R"(","seed":0,"verdict":")" + verdict + R"(","finding":")" + finding + R"(","message":")" + message +
               R"(","iterations":123,"seconds":0.5,"reached":{"label":12},"trace":""})";
    }
};

void write_trace(request& r) {
    std::ofstream(r.options["--trace"]) << "step 1\n";
}

[[noreturn]] void run_slowly(request& r) {
    // Or the loss of the front end would end it without anybody's doing.
    std::signal(SIGPIPE, SIG_IGN);
    const pid_t child = fork();
    if (child == 0) {
        for (;;) {
            pause();
        }
    }
    std::ofstream(r.options["--trace"]) << getpid() << ' ' << child << '\n';
    for (int i = 1;; ++i) {
        print(R"({"type":"progress","iterations":)" + std::to_string(i * 10) + R"(,"seconds":1.0})");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

int run(const std::string& engine, request& r) {
    const std::string what = r.options["--run"];
    print(R"({"type":"progress","iterations":7,"seconds":0.1})");
    const bool sequential = r.options["--search"] == "exhaustive_sc";
    if (what == "exhausts" || what == "exhausts__missed" || what == "shallow_and_deep" || what == "weakened" ||
        (what == "weakened__only_in_weak_memory" && sequential)) {
        print(r.result("exhausted", "", ""));
    } else if (what == "exhausts__caught" || what.starts_with("weakened__")) {
        write_trace(r);
        print(r.result("violated", "data_race", "two threads, one word"));
    } else if (what == "bounds" || what == "sized") {
        print(r.result("bounded", "", ""));
    } else if (what == "violates") {
        write_trace(r);
        print(r.result("violated", "assertion", R"(a < b && c > \"d\" 'e' \u0001 ]]>)"));
    } else if (what == "crashes") {
        std::fputs("last words\n", stderr);
        crash();
    } else if (what == "crashes_after_its_result") {
        print(r.result("exhausted", "", ""));
        crash();
    } else if (what == "hangs") {
        for (;;) {
            pause();
        }
    } else if (what == "prints_garbage") {
        print("\xff\x1b[2Jnot a line of the protocol");
        print(r.result("exhausted", "", ""));
    } else if (what == "exits_quietly") {
        return 3;
    } else if (what == "dies_mid_line") {
        const std::string line = r.result("exhausted", "", "");
        std::fputs(line.substr(0, line.size() / 2).c_str(), stdout);
        std::fflush(stdout);
    } else if (what == "unreached") {
        print(r.result("unreached", "", ""));
    } else if (what == "disputed") {
        print(engine == "other" ? r.result("violated", "leak", "") : r.result("exhausted", "", ""));
    } else if (what == "echoes" || what == "deep_echoes") {
        print(r.result("timed_out", "", r.all));
    } else if (what == "answers_for_another") {
        print(r.result("exhausted", "", "", "exhausts"));
    } else if (what == "slow") {
        run_slowly(r);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string engine = name_of_this_engine(argv[0]);
    if (argc == 2 && std::string(argv[1]) == "--describe") {
        return describe(engine);
    }
    request r;
    for (int i = 1; i + 1 < argc; i += 2) {
        r.options[argv[i]] = argv[i + 1];
        r.all += std::string(argv[i]) + " " + argv[i + 1] + " ";
    }
    return run(engine, r);
}
