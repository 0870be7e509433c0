# The commands of the project; each is one tool called one way. README.md explains them.

[private]
default:
    @just --list

# Install what is missing of the Debian packages in tools/packages.txt
deps:
    tools/deps

# Configure and build everything
build: deps
    cmake --preset dev
    cmake --build --preset dev

# The main job: every scenario on every engine, and the table of verdicts
check *arguments: build
    build/dev/bin/quiesce check {{arguments}}

# The whole test suite: the unit tests, the main job, the native tests under both sanitizers
test: build && tsan asan
    ctest --preset dev --label-exclude main_job
    build/dev/bin/quiesce check

# The scenarios under Relacy alone
relacy: deps
    cmake --preset relacy
    cmake --build --preset relacy
    build/relacy/bin/quiesce check --engine relacy

# The native tests under ThreadSanitizer
tsan: deps
    cmake --preset tsan
    cmake --build --preset tsan
    ctest --preset tsan

# The native tests under AddressSanitizer and UndefinedBehaviorSanitizer
asan: deps
    cmake --preset asan-ubsan
    cmake --build --preset asan-ubsan
    ctest --preset asan-ubsan

# Measure the library against others; bench/README.md tells how to read the tables
bench *arguments: deps
    cmake --preset release
    cmake --build --preset release --target quiesce_bench
    build/release/bin/quiesce-bench {{arguments}}

# The scenarios on real threads, two seconds for each at each size
stress: build
    QUIESCE_STRESS_MILLISECONDS=2000 build/dev/bin/scenario_stress

# Format the sources
fmt:
    git ls-files -z -co --exclude-standard '*.hpp' '*.cpp' | xargs -0 clang-format -i

# Check the sources: their format, and clang-tidy
lint: deps
    git ls-files -z -co --exclude-standard '*.hpp' '*.cpp' | xargs -0 clang-format --dry-run --Werror
    cmake --preset dev-clang
    run-clang-tidy-19 -quiet -p build/dev-clang '^{{justfile_directory()}}/(bench|core|proofs|relacy_models|tools|tsan_tests)/'

# What continuous integration runs
ci: test
