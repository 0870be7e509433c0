// quiesce: the front end of the engines.
#include <cstdio>
#include <exception>

#include "tools/quiesce/check_command.hpp"
#include "tools/quiesce/defects_command.hpp"
#include "tools/quiesce/exit_code.hpp"
#include "tools/quiesce/list_command.hpp"
#include "tools/quiesce/litmus_command.hpp"
#include "tools/quiesce/options.hpp"
#include "tools/quiesce/stop_request.hpp"
#include "tools/quiesce/usage_error.hpp"

int main(int argc, char** argv) {
    using namespace quiesce::frontend;
    try {
        const options o = parse_options(argc, argv);
        const stop_request stop;
        switch (o.what) {
            case command::list: return list(o, stop);
            case command::check: return check(o, stop);
            case command::defects: return defects(o, stop);
            case command::litmus: return litmus(o);
            case command::nothing: return exit_as_expected;
        }
    } catch (const usage_error& e) {
        std::fprintf(stderr, "quiesce: %s\n", e.what());
        return exit_wrong_usage;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "quiesce: %s\n", e.what());
        return exit_unexpected;
    }
}
